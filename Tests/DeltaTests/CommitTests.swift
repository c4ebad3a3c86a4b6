import Core
import Storage
import Testing

@testable import Delta

/// Two writers and one log: who may commit, and who must think again.
@Suite struct CommitTests {
  private let store = MemoryBlobStore()

  private func pair() throws -> (DeltaTable, DeltaTable) {
    let table = try TestTable.create(store)
    var first = table
    _ = try first.commit(.append([TestTable.file("a"), TestTable.file("b")]), nowMilliseconds: 2_000)
    return (first, first)
  }

  private func removing(_ names: String..., isDataChange: Bool = false) throws -> TableTransaction {
    var transaction = TableTransaction(CommitDescription(operation: "OPTIMIZE"))
    transaction.removed = try names.map {
      try TestTable.file($0).removed(atMilliseconds: 3, isDataChange: isDataChange)
    }
    return transaction
  }

  @Test func `appenders do not wait for one another`() throws {
    var (first, second) = try pair()
    #expect(try first.commit(.append([TestTable.file("c")]), nowMilliseconds: 1) == .committed(version: 2))
    #expect(try second.commit(.append([TestTable.file("d")]), nowMilliseconds: 1) == .committed(version: 3))
    #expect(second.snapshot.files.map(\.path.name.text) == ["a", "b", "c", "d"])
    try first.refresh()
    #expect(first.snapshot.files == second.snapshot.files)
    #expect(try TestTable.open(store)?.snapshot.files == second.snapshot.files)
  }

  @Test func `a commit far behind catches up at once`() throws {
    var (first, second) = try pair()
    for number in 0..<40 { _ = try first.commit(.append([TestTable.file("f\(number)")]), nowMilliseconds: 1) }
    #expect(try second.commit(.append([TestTable.file("late")]), nowMilliseconds: 1) == .committed(version: 42))
    #expect(second.snapshot.fileCount == 43)
  }

  @Test func `an application's rows are written from where it is, once`() throws {
    var (first, second) = try pair()
    let move = TransactionMove(applicationID: "app", from: nil, to: 10)
    #expect(
      try first.commit(.append([TestTable.file("c")], moves: [move]), nowMilliseconds: 1) == .committed(version: 2))
    #expect(
      try second.commit(.append([TestTable.file("d")], moves: [move]), nowMilliseconds: 1)
        == .conflict(.transactionMoved(applicationID: "app", expected: nil, found: 10)))
    #expect(second.snapshot.transactionVersion("app") == 10)
    #expect(second.snapshot.fileCount == 3)
    let next = TransactionMove(applicationID: "app", from: 10, to: 12)
    #expect(
      try second.commit(.append([TestTable.file("d")], moves: [next]), nowMilliseconds: 1) == .committed(version: 3))
    // A zombie with an old table and an old idea of where it is.
    #expect(
      try first.commit(.append([TestTable.file("e")], moves: [next]), nowMilliseconds: 1)
        == .conflict(.transactionMoved(applicationID: "app", expected: 10, found: 12)))
  }

  @Test func `of two that remove a file one is told`() throws {
    var (first, second) = try pair()
    #expect(try first.commit(removing("a"), nowMilliseconds: 1) == .committed(version: 2))
    #expect(try second.commit(removing("a", "b"), nowMilliseconds: 1) == .conflict(.fileRemoved(BlobName("a"))))
    #expect(try second.commit(removing("b"), nowMilliseconds: 1) == .committed(version: 3))
    #expect(second.snapshot.files.isEmpty)
  }

  @Test func `compaction and appenders do not matter to each other`() throws {
    var (first, second) = try pair()
    #expect(try first.commit(.append([TestTable.file("c")]), nowMilliseconds: 1) == .committed(version: 2))
    var compaction = try removing("a", "b")
    compaction.added = [try TestTable.file("ab")]
    #expect(try second.commit(compaction, nowMilliseconds: 1) == .committed(version: 3))
    #expect(second.snapshot.files.map(\.path.name.text) == ["ab", "c"])
  }

  @Test func `who has read all rows is told of new ones, but not of compacted ones`() throws {
    var (first, second) = try pair()
    var third = second
    var compaction = try removing("a")
    compaction.added = [try TestTable.file("a2")]
    compaction.added[0].isDataChange = false
    #expect(try first.commit(compaction, nowMilliseconds: 1) == .committed(version: 2))
    var deletion = try removing("b", isDataChange: true)
    deletion.readsWholeTable = true
    #expect(try second.commit(deletion, nowMilliseconds: 1) == .committed(version: 3))
    _ = try first.commit(.append([TestTable.file("c")]), nowMilliseconds: 1)
    var other = TableTransaction(CommitDescription(operation: "DELETE"))
    other.readsWholeTable = true
    #expect(try third.commit(other, nowMilliseconds: 1) == .conflict(.rowsAdded(version: 4)))
  }

  @Test func `changed columns and a changed protocol are conflicts`() throws {
    var (first, second) = try pair()
    var metadata = first.snapshot.metadata
    metadata.schema = try #require(try metadata.schema.adding([DeltaField("more", .double)], "t"))
    #expect(try first.commit(.evolution(metadata), nowMilliseconds: 1) == .committed(version: 2))
    #expect(try second.commit(.append([]), nowMilliseconds: 1) == .conflict(.metadataChanged(version: 2)))
    #expect(second.snapshot.metadata.schema.field("more")?.type == .double)
    try TestTable.put(store, version: 3, TestTable.protocolLine)
    #expect(try first.commit(.append([]), nowMilliseconds: 1) == .conflict(.protocolChanged(version: 3)))
  }

  @Test func `an append-only table may be compacted, not shortened`() throws {
    var table = try TestTable.create(store, configuration: ["delta.appendOnly": "true"])
    _ = try table.commit(.append([TestTable.file("a")]), nowMilliseconds: 1)
    let error = #expect(throws: HeadraceError.self) {
      try table.commit(removing("a", isDataChange: true), nowMilliseconds: 1)
    }
    #expect(error?.code == "DELTA_APPEND_ONLY")
    #expect(try table.commit(removing("a"), nowMilliseconds: 1) == .committed(version: 2))
  }

  @Test func `of many that create a table one does`() throws {
    let first = try TestTable.create(store)
    let error = #expect(throws: HeadraceError.self) { try TestTable.create(store) }
    #expect(error?.code == "DELTA_TABLE_EXISTS")
    let other = try DeltaTable.openOrCreate(
      store, BlobName(TestTable.root), schema: TestTable.schema(), nowMilliseconds: 5)
    #expect(other.snapshot.metadata == first.snapshot.metadata)
  }

  @Test func `what a commit holds can be read back`() throws {
    var table = try TestTable.create(store, partitionColumns: ["day"], configuration: ["a": "b"])
    var file = try TestTable.file("day=2013-01-01/x%y é.parquet", tags: ["t": nil, "u": "v"], statistics: "{}")
    file.partitionValues = ["day": "2013-01-01"]
    var provenance = CommitProvenance()
    provenance.offsets = [.init(topic: "t", partition: 0, offset: 5), .init(topic: "t", partition: 12, offset: 6)]
    provenance.watermarkMilliseconds = 77
    provenance.planFingerprint = "f"
    let move = TransactionMove(applicationID: "app", from: nil, to: 10)
    _ = try table.commit(.append([file], moves: [move], provenance: provenance), nowMilliseconds: 9)
    let bytes = try #require(
      try store.read(BlobName("\(TestTable.root)/_delta_log/\(LogName.commit(1).text)"), bytesMax: 9_999))
    let actions = try CommitReader(place: "x").actions(bytes)
    #expect(actions.contains(.add(file)))
    #expect(actions.contains(.transaction(.init(applicationID: "app", version: 10, updatedMilliseconds: 9))))
    guard case .commitInfo(let info)? = actions.first else { throw TestFailure() }
    #expect(CommitProvenance(info) == provenance)
    #expect(info.operation == "WRITE" && info.timestampMilliseconds == 9)
    #expect(try TestTable.open(store)?.snapshot.metadata == table.snapshot.metadata)
    #expect(try TestTable.open(store)?.snapshot.files == [file])
  }

  struct TestFailure: Error {}
}
