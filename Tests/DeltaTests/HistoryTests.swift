import Core
import Storage
import Testing

@testable import Delta

/// Which tables there are, and what happened to them.
@Suite struct HistoryTests {
  @Test func `tables are found by their logs, wherever other things lie`() throws {
    let store = MemoryBlobStore()
    for root in ["a", "a-b/t", "events/departed", "events/é", "z/_x/y"] {
      _ = try DeltaTable.create(store, BlobName(root), schema: TestTable.schema(), nowMilliseconds: 1)
    }
    for name in [
      "A", "a/0.parquet", "a/zz=1/x/_delta_log/part.parquet", "datasets/d/1/manifest.json", "events/_delta_log/readme",
      "events/departed/Z/1.parquet", "_delta_log/00000000000000000000.json", "b/_delta_log/1/00000000000000000000.json",
    ] {
      try store.put(try BlobName(name), [1])
    }
    for number in 0..<250 { try store.put(try BlobName("events/departed/part-\(number)"), [1]) }
    #expect(
      try DeltaTable.roots(in: store).map(\.text)
        == ["a", "a-b/t", "events/departed", "events/é", "z/_x/y"].sorted {
          $0.utf8.lexicographicallyPrecedes($1.utf8)
        })
    #expect(try DeltaTable.roots(in: MemoryBlobStore()).isEmpty)
  }

  @Test func `history tells the newest commits first, as far back as the log goes`() throws {
    let clock = TestClock()
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    var table = try TestTable.create(store)
    for number in 1...5 {
      // The clock goes back once; the log does not.
      clock.milliseconds = number == 3 ? 5 : Int64(1_000 * number)
      let move = TransactionMove(
        applicationID: "app", from: table.snapshot.transactionVersion("app"), to: Int64(number))
      _ = try table.commit(.append([TestTable.file("\(number)")], moves: [move]), nowMilliseconds: clock.milliseconds)
    }
    let history = try table.history(countMax: 100)
    #expect(history.map(\.version) == [5, 4, 3, 2, 1, 0])
    #expect(history.map(\.info?.operation) == Array(repeating: "WRITE", count: 5) + ["CREATE TABLE"])
    #expect(history.map(\.addedFiles) == [1, 1, 1, 1, 1, 0] && history[0].transactions.map(\.version) == [5])
    for commit in history {
      let found = try TestTable.open(store, at: .timestamp(milliseconds: commit.timestampMilliseconds))
      #expect(found?.snapshot.version == commit.version)
    }
    #expect(try table.history(countMax: 2).map(\.version) == [5, 4])
    #expect(
      try table.history(countMax: 2).map(\.timestampMilliseconds) == history.prefix(2).map(\.timestampMilliseconds))
    #expect(try table.history(countMax: 0).isEmpty)
    try table.checkpoint(nowMilliseconds: 1)
    try store.delete([BlobName("\(TestTable.root)/_delta_log/\(LogName.commit(2).text)")])
    #expect(try table.history(countMax: 100).map(\.version) == [5, 4, 3])
  }
}
