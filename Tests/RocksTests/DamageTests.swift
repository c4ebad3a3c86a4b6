import Core
import TestSupport
import Testing

@testable import Rocks

/// What the disk may do to a database while it is closed: rows 16 to 18 of the fault catalogue.
@Suite struct DamageTests {
  /// Two files of a thousand keys each, and a log.
  private static func prepare(_ path: String) throws {
    let database = try Database(path: path)
    try database.put((0..<1_000).map { ("a\($0)", "value \($0 * 7919)") })
    try database.flush()
    try database.put((0..<1_000).map { ("b\($0)", "value \($0 * 104_729)") })
    try database.flush()
    try database.put([("c", "1")])
    database.close()
  }

  /// Opens it and reads everything.
  private static func readAll(_ path: String) -> String? {
    codeThrown {
      let database = try Database(path: path)
      defer { database.close() }
      var iterator = try database.iterator()
      while try iterator.next() {}
    }
  }

  @Test func `a bit that flipped in a block is found when the block is read`() throws {
    for place in [0.05, 0.2, 0.5] {
      let folder = try TestFolder()
      try Self.prepare(folder.path)
      let file = try #require(TestFolder.files(folder.path, ending: ".sst").first)
      var bytes = try TestFolder.contents(file)
      bytes[Int(Double(bytes.count) * place)] ^= 0x10
      try TestFolder.write(bytes, to: file)
      #expect(Self.readAll(folder.path) == HeadraceError.corruptStateCode, "at \(place)")
    }
  }

  @Test(arguments: [".sst", "CURRENT", "MANIFEST"])
  func `a file that is missing is damage`(name: String) throws {
    let folder = try TestFolder()
    try Self.prepare(folder.path)
    let file = try #require(try Folder.names(folder.path).first { $0.hasSuffix(name) || $0.hasPrefix(name) })
    try TestFolder.delete("\(folder.path)/\(file)")
    #expect(Self.readAll(folder.path) == HeadraceError.corruptStateCode)
  }

  @Test func `a table file that was cut short is damage`() throws {
    let folder = try TestFolder()
    try Self.prepare(folder.path)
    let file = try #require(TestFolder.files(folder.path, ending: ".sst").first)
    try TestFolder.write(Array(try TestFolder.contents(file).dropLast(100)), to: file)
    #expect(Self.readAll(folder.path) == HeadraceError.corruptStateCode)
  }

  @Test func `a torn end of the log loses whole batches from the end and nothing else`() throws {
    let original = try TestFolder()
    do {
      let database = try Database(path: original.path)
      for batch in 0..<8 { try database.put([("x", "\(batch)"), ("y", "\(batch)"), ("k\(batch)", "1")]) }
      database.close()
    }
    let log = try #require(TestFolder.files(original.path, ending: ".log").last)
    let whole = try TestFolder.contents(log)
    for cut in stride(from: 1, to: whole.count, by: max(whole.count / 40, 1)) {
      let folder = try TestFolder()
      for name in try Folder.names(original.path) where name != "LOCK" {
        try TestFolder.write(try TestFolder.contents("\(original.path)/\(name)"), to: "\(folder.path)/\(name)")
      }
      try TestFolder.write(Array(whole.dropLast(cut)), to: log.replacing(original.path, with: folder.path))
      let database = try Database(path: folder.path)
      let newest = try database.text("x").flatMap { Int($0) } ?? -1
      #expect(try database.text("y").flatMap { Int($0) } ?? -1 == newest)
      for batch in 0..<8 { #expect((try database.text("k\(batch)") != nil) == (batch <= newest), "cut \(cut)") }
      #expect(newest < 7)
    }
  }
}
