import Columns
import Core
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Delta

/// Compaction beside others that change the table.
@Suite struct CompactionTests {
  @Test func `one that loses plans anew, and leaves nothing behind`() throws {
    let inner = MemoryBlobStore()
    var table = try TestTable.create(inner)
    var random = SplitMix64(seed: 11)
    for _ in 0..<6 { try table.append(TestRow.random(count: 20, using: &random)) }
    let before = try table.rows()
    // While it writes its first file, another one compacts the same files, and somebody appends.
    let hasMeddled = Mutex(false)
    let store = FaultyBlobStore(inner) { operation, _ in
      guard operation == .finish,
        !hasMeddled.withLock({ seen in
          defer { seen = true }; return seen
        })
      else {
        return .proceed
      }
      guard var other = try? TestTable.open(inner), (try? other.compact(nowMilliseconds: 2)) != nil else {
        return .fail
      }
      try? other.append([TestRow(id: 999, name: "late", day: nil)])
      return .proceed
    }
    var loser = try #require(try TestTable.open(store))
    // The other one's file and the appended one: 7 is the other one's compaction, 8 the append.
    #expect(try loser.compact(nowMilliseconds: 3) == .compacted(version: 9, removedFiles: 2, addedFiles: 1))
    #expect(hasMeddled.withLock { $0 })
    let after = try #require(try TestTable.open(inner))
    #expect(try after.rows() == (before + [TestRow(id: 999, name: "late", day: nil)]).sorted())
    var named = Set(after.snapshot.files.map(\.path.name)).union(after.snapshot.removedFiles.map(\.path.name))
    try inner.forEach(in: after.root) { (entry) throws(HeadraceError) in
      guard !entry.name.text.contains("/_delta_log/") else { return }
      let name = try BlobName(entry.name.relative(to: after.root) ?? "")
      #expect(named.remove(name) != nil, "\(name) is an orphan")
    }
    #expect(named.isEmpty)
  }

  @Test func `a compacted file stands where its rows stood`() throws {
    let store = MemoryBlobStore()
    var table = try TestTable.create(store)
    for number in 1...4 {
      try table.append([TestRow(id: Int64(number), name: nil, day: nil)], nowMilliseconds: Int64(number))
    }
    _ = try table.compact(nowMilliseconds: 100)
    // Written before the compaction ended, committed after it.
    try table.append([TestRow(id: 5, name: nil, day: nil)], nowMilliseconds: 50)
    _ = try table.compact(nowMilliseconds: 101)
    let scan = try TableScan(table, columns: ["id"])
    var batch = ColumnBatch(scan.types)
    var ids: [Int64] = []
    while try scan.next(into: &batch) { ids += batch.columns[0].integers }
    #expect(ids == [1, 2, 3, 4, 5])
  }
}
