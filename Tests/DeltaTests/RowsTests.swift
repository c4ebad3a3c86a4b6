import Columns
import Core
import Parquet
import Storage
import Testing

@testable import Delta

/// Rows through whole tables: written, read, compacted, checkpointed, vacuumed.
@Suite struct RowsTests {
  @Test(arguments: [[], ["day"], ["name", "day"]])
  func `rows come back as they were written, columns in any choice`(partitionColumns: [String]) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let store = MemoryBlobStore()
    var table = try TestTable.create(store, partitionColumns: partitionColumns)
    var expected: [TestRow] = []
    for _ in 0..<4 {
      let rows = TestRow.random(count: 200, using: &random)
      expected += rows
      try table.append(rows)
    }
    #expect(try table.rows() == expected.sorted(), "seed \(seed)")
    #expect(table.snapshot.rowCount == 800)
    let scan = try TableScan(table, columns: ["day", "id"])
    var batch = ColumnBatch([])
    var ids = 0
    while try scan.next(into: &batch) {
      #expect(batch.columns.map(\.type) == [.date, .integer])
      ids += batch.rowCount
    }
    #expect(ids == 800)
    #expect(throws: HeadraceError.self) { try TableScan(table, columns: ["other"]) }
  }

  @Test func `files without wanted rows are passed over, and none with them`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let store = MemoryBlobStore()
    var table = try TestTable.create(store, partitionColumns: ["day"])
    for _ in 0..<12 { try table.append(TestRow.random(count: 3, using: &random)) }
    let all = try table.rows()
    var passedOver = 0
    for _ in 0..<200 {
      let row = TestRow.random(count: 1, using: &random)[0]
      let conditions: [(ColumnCondition, (TestRow) -> Bool)] = [
        (ColumnCondition("id", .equal, .integer(row.id)), { $0.id == row.id }),
        (ColumnCondition("id", .less, .integer(row.id)), { $0.id < row.id }),
        (ColumnCondition("id", .greaterOrEqual, .integer(row.id)), { $0.id >= row.id }),
        (ColumnCondition("name", .isNull), { $0.name == nil }),
        (ColumnCondition("name", .isNotNull), { $0.name != nil }),
        (ColumnCondition("day", .isNull), { $0.day == nil }),
        (ColumnCondition("day", .lessOrEqual, .date(row.day ?? 0)), { $0.day.map { $0 <= row.day ?? 0 } ?? false }),
        (
          ColumnCondition("name", .greater, .string(row.name ?? "m")),
          { found in found.name.map { ValueOrder.compare(.string($0), .string(row.name ?? "m")) == 1 } ?? false }
        ),
      ]
      let (condition, holds) = conditions[Int.random(in: 0..<conditions.count, using: &random)]
      let found = try table.rows(where: [condition]).filter(holds)
      #expect(found == all.filter(holds), "\(condition), seed \(seed)")
      passedOver += table.snapshot.fileCount - table.snapshot.files(where: [condition]).count
    }
    #expect(passedOver > 0)
  }

  @Test func `a new column is null in old rows, also after compaction`() throws {
    let store = MemoryBlobStore()
    var table = try TestTable.create(store)
    var random = SplitMix64(seed: 1)
    let old = TestRow.random(count: 20, using: &random)
    try table.append(old)
    var metadata = table.snapshot.metadata
    metadata.schema = try #require(
      try metadata.schema.adding([DeltaField("score", .double), DeltaField("id", .long)], "t"))
    _ = try table.commit(.evolution(metadata), nowMilliseconds: 1)
    var batch = TestRow.batch(TestRow.random(count: 10, using: &random))
    batch.columns.append(Column(doubles: Array(repeating: 0.5, count: 10), isValid: Array(repeating: true, count: 10)))
    let writer = try TableWriter(table)
    try writer.append(batch, nowMilliseconds: 1)
    _ = try table.commit(.append(try writer.finish(nowMilliseconds: 1)), nowMilliseconds: 1)
    func scores() throws -> [Int: Int] {
      let scan = try TableScan(table, columns: ["score"])
      var batch = ColumnBatch([])
      var counts = [0: 0, 1: 0]
      while try scan.next(into: &batch) { for isValid in batch.columns[0].isValid { counts[isValid ? 1 : 0]? += 1 } }
      return counts
    }
    #expect(try scores() == [0: 20, 1: 10])
    let before = try table.rows()
    guard case .compacted(_, 2, 1) = try table.compact(nowMilliseconds: 5) else { throw CommitTests.TestFailure() }
    #expect(try scores() == [0: 20, 1: 10])
    #expect(try table.rows() == before)
    #expect(throws: HeadraceError.self) { try metadata.schema.adding([DeltaField("score", .string)], "t") }
    #expect(throws: HeadraceError.self) {
      try metadata.schema.adding([DeltaField("must", .long, isNullable: false)], "t")
    }
  }

  @Test func `a checkpoint stands for the log, whatever becomes of the log`() throws {
    let store = MemoryBlobStore()
    var table = try TestTable.create(store, partitionColumns: ["day"], configuration: ["k": "v"])
    var random = SplitMix64(seed: 2)
    for number in 0..<5 {
      try table.append(TestRow.random(count: 30, using: &random), application: "app-\(number % 2)", to: Int64(number))
    }
    _ = try table.compact(nowMilliseconds: 6)
    try table.checkpoint(nowMilliseconds: 7)
    try table.checkpoint(nowMilliseconds: 7)
    try table.append(TestRow.random(count: 5, using: &random), application: "app-1", to: 9)
    let log = try BlobName("\(TestTable.root)/_delta_log")
    for version in 0...Int64(6) { try store.delete([log.appending(LogName.commit(version).text)]) }
    let opened = try #require(try TestTable.open(store))
    #expect(
      opened.snapshot.files
        == table.snapshot.files.map { file in
          var copy = file
          // A checkpoint says of no file that it is new.
          if opened.snapshot.file(file.path.name)?.isDataChange == false { copy.isDataChange = false }
          return copy
        })
    #expect(opened.snapshot.metadata == table.snapshot.metadata)
    #expect(opened.snapshot.transactions == table.snapshot.transactions)
    #expect(opened.snapshot.removedFiles.map(\.path) == table.snapshot.removedFiles.map(\.path))
    #expect(try opened.rows() == table.rows())
    // Without the hint too.
    try store.delete([log.appending(LastCheckpoint.name)])
    #expect(try TestTable.open(store)?.snapshot.version == 7)
  }

  @Test func `a damaged checkpoint is passed over while the log is there, and an error when it is not`() throws {
    let store = MemoryBlobStore()
    var table = try TestTable.create(store)
    var random = SplitMix64(seed: 3)
    for _ in 0..<3 { try table.append(TestRow.random(count: 30, using: &random)) }
    try table.checkpoint(nowMilliseconds: 7)
    let log = try BlobName("\(TestTable.root)/_delta_log")
    let name = try log.appending(LogName.checkpoint(3, part: 1, parts: 1).text)
    let whole = try #require(try store.read(name, bytesMax: 1 << 20))
    for count in [0, 3, whole.count / 2, whole.count - 1] {
      try store.put(name, Array(whole.prefix(count)))
      #expect(try TestTable.open(store)?.rows() == table.rows())
    }
    for _ in 0..<200 {
      var bytes = whole
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try store.put(name, bytes)
      do { _ = try TestTable.open(store) } catch is HeadraceError {}
    }
    try store.put(name, Array(whole.prefix(whole.count / 2)))
    try store.delete([log.appending(LogName.commit(0).text)])
    #expect(throws: HeadraceError.self) { try TestTable.open(store) }
  }

  @Test func `the log is cleaned up to the newest checkpoint that is old enough, and pins hold it`() throws {
    let clock = TestClock()
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    let hour: Int64 = 3_600_000
    var table = try TestTable.create(store, configuration: ["delta.logRetentionDuration": "interval 10 hours"])
    var random = SplitMix64(seed: 4)
    for number in 1...20 {
      clock.milliseconds = Int64(number) * hour
      try table.append(TestRow.random(count: 3, using: &random))
      if number % 4 == 0 { try table.checkpoint(nowMilliseconds: clock.milliseconds) }
    }
    #expect(try table.cleanUpLog(nowMilliseconds: 21 * hour, pinnedVersions: [2]) == 0)
    #expect(try table.cleanUpLog(nowMilliseconds: 21 * hour, pinnedVersions: [5]) == 4)
    #expect(try TestTable.open(store, at: .version(5))?.snapshot.fileCount == 5)
    #expect(try table.cleanUpLog(nowMilliseconds: 21 * hour) == 5)
    #expect(try table.cleanUpLog(nowMilliseconds: 21 * hour) == 0)
    for version in 8...20 {
      #expect(try TestTable.open(store, at: .version(Int64(version)))?.snapshot.fileCount == version)
    }
    #expect(throws: HeadraceError.self) { try TestTable.open(store, at: .version(7)) }
  }

  @Test func `vacuum deletes what nobody needs, and nothing else`() throws {
    let clock = TestClock()
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    let day: Int64 = 86_400_000
    var table = try TestTable.create(store, partitionColumns: ["day"])
    var random = SplitMix64(seed: 5)
    for number in 1...4 {
      clock.milliseconds = Int64(number) * day
      try table.append(TestRow.random(count: 10, using: &random), nowMilliseconds: clock.milliseconds)
    }
    let before = try table.rows()
    let pinnedRows = try #require(try TestTable.open(store, at: .version(2))).rows()
    clock.milliseconds = 5 * day
    _ = try table.compact(nowMilliseconds: 5 * day)
    // An orphan, and somebody else's files.
    try store.put(try BlobName("\(TestTable.root)/day=2013-01-01/orphan.parquet"), [1])
    try store.put(try BlobName("\(TestTable.root)/_other/x"), [1])
    #expect(try table.vacuum(nowMilliseconds: 11 * day).deleted.isEmpty)
    var short = VacuumPolicy()
    short.retentionMilliseconds = day
    #expect(throws: HeadraceError.self) { try table.vacuum(short, nowMilliseconds: 11 * day) }
    var policy = VacuumPolicy()
    policy.pinnedVersions = [2]
    policy.isDryRun = true
    let planned = try table.vacuum(policy, nowMilliseconds: 13 * day)
    policy.isDryRun = false
    let report = try table.vacuum(policy, nowMilliseconds: 13 * day)
    #expect(report == planned && !report.deleted.isEmpty && !report.pinned.isEmpty)
    #expect(report.deleted.contains { $0.text.hasSuffix("orphan.parquet") })
    #expect(try table.rows() == before)
    #expect(try #require(try TestTable.open(store, at: .version(2))).rows() == pinnedRows)
    #expect(try store.entry(try BlobName("\(TestTable.root)/_other/x")) != nil)
    #expect(try table.vacuum(nowMilliseconds: 13 * day).deleted == report.pinned)
    policy.pinnedVersions = [99]
    #expect(throws: HeadraceError.self) { try table.vacuum(policy, nowMilliseconds: 13 * day) }
  }
}
