import Core
import Glibc
import TestSupport
import Testing

@testable import Rocks

@Suite struct DatabaseTests {
  @Test func `what a batch writes is there, in its column family, also after it was opened again`() throws {
    let folder = try TestFolder()
    let options = DatabaseOptions(columnFamilies: [ColumnFamily("default"), ColumnFamily("rows")])
    do {
      let database = try Database(path: "\(folder.path)/a/b", options: options)
      var batch = try WriteBatch(for: database)
      batch.put(Array("k".utf8), Array("1".utf8))
      batch.put(Array("k".utf8), Array("2".utf8), in: 1)
      batch.put(Array("gone".utf8), [], in: 1)
      batch.delete(Array("gone".utf8), in: 1)
      batch.put([], [7])
      #expect(batch.count == 5 && batch.sizeBytes > 0)
      try database.write(batch, sync: true)
      database.close()
    }
    let database = try Database(path: "\(folder.path)/a/b", options: options)
    #expect(try database.text("k") == "1")
    #expect(try database.text("k", in: 1) == "2")
    #expect(try database.text("gone", in: 1) == nil)
    let empty = try database.get([UInt8]())?.array
    #expect(empty == [7])
  }

  @Test func `an iterator keeps its bounds and a deleted range is gone`() throws {
    let folder = try TestFolder()
    let database = try Database(path: folder.path)
    try database.put((0..<100).map { ("k\(100 + $0)", "\($0)") })
    var batch = try WriteBatch(for: database)
    batch.deleteRange(from: Array("k120".utf8), to: Array("k180".utf8))
    try database.write(batch, sync: false)
    var iterator = try database.iterator(from: Array("k110".utf8), to: Array("k185".utf8))
    var keys: [String] = []
    while try iterator.next() {
      keys.append(String(decoding: unsafe iterator.key.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self))
      #expect(iterator.value.byteCount <= 2)
    }
    #expect(keys == (110..<120).map { "k\($0)" } + (180..<185).map { "k\($0)" })
    var count = 0
    var all = try database.iterator()
    while try all.next() { count += 1 }
    #expect(count == 40)
  }

  @Test func `many keys at once are found as one by one`() throws {
    let folder = try TestFolder()
    let database = try Database(path: folder.path)
    try database.put((0..<500).filter { $0 % 3 != 0 }.map { ("k\($0)", "v\($0)") })
    try database.flush()
    try database.put([("k6", "new")])
    var lookup = KeyList()
    for index in stride(from: 499, through: 0, by: -1) {
      unsafe lookup.append(Array("k\(index)".utf8).span.bytes)
    }
    var found: [Int: String] = [:]
    try database.multiGet(lookup) { index, value throws(HeadraceError) in
      found[499 - index] = String(decoding: unsafe value.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
    }
    for index in 0..<500 { #expect(try database.text("k\(index)") == found[index]) }
    #expect(found.count == 334 && found[6] == "new")
  }

  @Test func `a memory table that one batch overfilled goes to a file without another write`() throws {
    let folder = try TestFolder()
    var family = ColumnFamily("default")
    family.writeBufferBytes = 1 << 20
    let database = try Database(path: folder.path, options: DatabaseOptions(columnFamilies: [family]))
    var batch = try WriteBatch(for: database)
    for index in 0..<4_000 { batch.put(Array("k\(index)".utf8), [UInt8](repeating: UInt8(index % 251), count: 1_000)) }
    try database.write(batch, sync: true)
    #expect(try database.statistics().fileBytes == 0, "it went by itself: the test shows nothing")
    try database.flushFullMemoryTables()
    let deadline = WallClock.monotonic.nowMilliseconds + 30_000
    while database.memoryTableBytes > 1 << 19, WallClock.monotonic.nowMilliseconds < deadline { sched_yield() }
    #expect(database.memoryTableBytes <= 1 << 19)
    #expect(try database.statistics().fileBytes > 0)
    #expect(try database.get(Array("k3999".utf8))?.array.count == 1_000)
    // What is not full stays.
    try database.put([("small", "value")])
    let files = try database.statistics().fileBytes
    try database.flushFullMemoryTables()
    #expect(try database.statistics().fileBytes == files)
  }

  @Test func `a closed database refuses, and closing it again does nothing`() throws {
    let folder = try TestFolder()
    let database = try Database(path: folder.path)
    try database.put([("a", "1")])
    database.close()
    database.close()
    #expect(codeThrown { _ = try database.text("a") } == "STATE_CLOSED")
    #expect(codeThrown { try database.put([("a", "2")]) } == "STATE_CLOSED")
    #expect(codeThrown { _ = try database.statistics() } == "STATE_CLOSED")
    let again = try Database(path: folder.path)
    #expect(try again.text("a") == "1")
  }

  @Test func `a folder that is open is locked, and the error says so`() throws {
    let folder = try TestFolder()
    let database = try Database(path: folder.path)
    defer { database.close() }
    #expect(codeThrown { _ = try Database(path: folder.path) } == "STATE_LOCKED")
  }

  @Test func `a checkpoint is the database as it was`() throws {
    let folder = try TestFolder()
    let database = try Database(path: "\(folder.path)/a")
    try database.put([("a", "1")], sync: false)
    try database.checkpoint(to: "\(folder.path)/b")
    try database.put([("a", "2"), ("b", "2")])
    let copy = try Database(path: "\(folder.path)/b")
    #expect(try copy.text("a") == "1")
    #expect(try copy.text("b") == nil)
    #expect(throws: HeadraceError.self) { try database.checkpoint(to: "\(folder.path)/b") }
  }

  @Test func `statistics say about what is there`() throws {
    let folder = try TestFolder()
    let cache = BlockCache(capacityBytes: 1 << 20)
    var options = DatabaseOptions()
    options.blockCache = cache
    let database = try Database(path: folder.path, options: options)
    let value = String(repeating: "x", count: 1_000)
    try database.put((0..<1_000).map { ("k\($0)", value + "\($0)") })
    #expect(try database.statistics().memoryTableBytes > 1_000_000)
    try database.flush()
    let statistics = try database.statistics()
    #expect(statistics.keys == 1_000 && statistics.fileBytes > 5_000 && !statistics.isWriteStopped)
    #expect(try database.approximateBytes(from: [], to: [0xff]) > 5_000)
    #expect(try database.property("rocksdb.stats") != nil)
    #expect(try database.property("rocksdb.no-such") == nil)
    _ = try database.text("k1")
    #expect(cache.usedBytes > 0)
    #expect(Folder.sizeBytes(folder.path) > 5_000)
  }

  @Test func `expired entries go when files are compacted, those of other groups and younger ones stay`() throws {
    let folder = try TestFolder()
    let expiry = try Expiry(timeOffset: 2, groupCapacity: 2)
    var options = DatabaseOptions()
    options.columnFamilies[0].expiry = expiry
    let database = try Database(path: folder.path, options: options)
    var batch = try WriteBatch(for: database)
    for group in 0..<UInt8(3) {
      for time in 0..<UInt8(10) {
        batch.put([0, 0, 0, group, time], [9, 9, time, 0, 0, 0, 0, 0, 0, 0])
      }
    }
    batch.put([0, 0, 0, 0, 99], [1, 2, 3])
    try database.write(batch, sync: false)
    expiry.setHorizon(4, ofGroup: 0)
    expiry.setHorizon(100, ofGroup: 2)
    try database.flush()
    try database.compact(from: [], to: [0xff])
    var left: [[UInt8]] = []
    var iterator = try database.iterator()
    while try iterator.next() { left.append(unsafe iterator.key.withUnsafeBytes { unsafe Array($0.suffix(2)) }) }
    var expected: [[UInt8]] = (4..<10).map { [0, $0] } + [[0, 99]]
    for time in 0..<UInt8(10) { expected.append([1, time]) }
    for time in 0..<UInt8(10) { expected.append([2, time]) }
    #expect(left == expected)
  }

  /// A dictionary beside it: puts, deletes, ranges, reopening.
  @Test(arguments: UInt64(1)...6)
  func `random batches leave what a dictionary holds`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let folder = try TestFolder()
    var options = DatabaseOptions()
    options.columnFamilies[0].writeBufferBytes = 1 << 16
    var database = try Database(path: folder.path, options: options)
    var expected: [String: String] = [:]
    for step in 0..<60 {
      var batch = try WriteBatch(for: database)
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let key = "k\(100 + Int.random(in: 0..<200, using: &random))"
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
          batch.delete(Array(key.utf8))
          expected[key] = nil
        case 1:
          let end = "k\(100 + Int.random(in: 0..<200, using: &random))"
          guard key < end else { continue }
          batch.deleteRange(from: Array(key.utf8), to: Array(end.utf8))
          for other in expected.keys where other >= key && other < end { expected[other] = nil }
        default:
          let value = String(repeating: "v", count: Int.random(in: 0..<300, using: &random)) + "\(step)"
          batch.put(Array(key.utf8), Array(value.utf8))
          expected[key] = value
        }
      }
      try database.write(batch, sync: step % 7 == 0)
      if Int.random(in: 0..<12, using: &random) == 0 {
        database.close()
        database = try Database(path: folder.path, options: options)
      }
    }
    for index in 100..<300 { #expect(try database.text("k\(index)") == expected["k\(index)"], "seed \(seed)") }
  }
}
