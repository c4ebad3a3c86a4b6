import Core

@testable import Rocks

extension Database {
  func text(_ key: String, in family: Int = 0) throws(HeadraceError) -> String? {
    guard let value = try get(Array(key.utf8), in: family) else { return nil }
    return String(decoding: value.array, as: UTF8.self)
  }

  func put(_ pairs: [(String, String)], in family: Int = 0, sync: Bool = true) throws(HeadraceError) {
    var batch = try WriteBatch(for: self)
    for (key, value) in pairs { batch.put(Array(key.utf8), Array(value.utf8), in: family) }
    try write(batch, sync: sync)
  }
}
