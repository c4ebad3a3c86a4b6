import Columns
import Core
import Expressions
import Features
import Glibc

@testable import OfflineStore

/// A folder of its own for one test; removed with everything in it.
final class TestFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/headrace-offline-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    path = unsafe template.withUnsafeBufferPointer { buffer in
      unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
    }
  }

  deinit { Self.remove(path) }

  static func names(_ path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func remove(_ path: String) {
    for name in names(path) {
      let child = "\(path)/\(name)"
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }
}

/// The table of the tests: a number, a text that may be null, and the offset that a row comes from.
enum TestTable {
  static func make(_ name: String = "events/test", partition: Int32 = 0) -> OfflineTable {
    OfflineTable(
      name: name, fields: [.init("amount", .double), .init("who", .string), .init("_offset", .integer)], offsetField: 2,
      topology: "test", topic: "input", partition: partition)
  }

  /// The row of a record is a function of its offset.
  static func append(_ offset: Int64, to batch: inout ColumnBatch) {
    batch.columns[0].append(Double(offset) / 4)
    if offset % 5 == 0 { batch.columns[1].appendNull() } else { batch.columns[1].append("user \(offset % 7)") }
    batch.columns[2].append(offset)
    batch.rowCount += 1
  }
}
