import Columns
import Core
import Delta
import Storage
import Synchronization
import TestSupport
import Testing

@testable import OfflineStore

/// Rows that a commit did not bring into the table are never said to be there.
@Suite struct PartitionTableTests {
  /// What goes wrong, as long as it is set.
  private final class Fault: Sendable {
    private let broken = Mutex<FaultyBlobStore.Operation?>(nil)

    func set(_ operation: FaultyBlobStore.Operation?) { broken.withLock { $0 = operation } }

    func verdict(_ operation: FaultyBlobStore.Operation) -> FaultyBlobStore.Verdict {
      broken.withLock { $0 == operation } ? .fail : .proceed
    }
  }

  private static let name = "predictions/test"

  private static func open(_ store: any BlobStore) throws -> PartitionTable {
    try PartitionTable(
      store, name: name, fields: TestTable.make().fields, application: "test/input/0",
      origin: .init(topic: "input", partition: 0, planFingerprint: "0"), nowMilliseconds: 1_000)
  }

  private static func rows(_ offsets: Range<Int64>) -> ColumnBatch {
    var batch = ColumnBatch(TestTable.make().types)
    for offset in offsets { TestTable.append(offset, to: &batch) }
    return batch
  }

  /// The file cannot be completed (the disk is full), or the log's entry cannot be written.
  @Test(arguments: [FaultyBlobStore.Operation.finish, .putIfAbsent])
  func `behind a commit that failed nothing is committed until the table is opened anew`(
    operation: FaultyBlobStore.Operation
  ) throws {
    let (inner, fault) = (MemoryBlobStore(), Fault())
    let store = FaultyBlobStore(inner) { operation, _ in fault.verdict(operation) }
    let table = try Self.open(store)
    let rows = Self.rows(0..<3)
    try table.append(rows, nowMilliseconds: 1_000)
    fault.set(operation)
    let code = codeThrown { try table.commit(upTo: 3, watermark: .min, nowMilliseconds: 1_000) }
    #expect(code != nil)
    fault.set(nil)
    // As a consumer does that is closed behind the failure.
    for offset in Int64(3)...4 {
      #expect(codeThrown { try table.commit(upTo: offset, watermark: .min, nowMilliseconds: 1_000) } == code)
    }
    #expect(codeThrown { try table.append(rows, nowMilliseconds: 1_000) } == code)
    let again = try Self.open(inner)
    #expect(again.position == nil)
    try again.append(rows, nowMilliseconds: 1_000)
    try again.commit(upTo: 3, watermark: .min, nowMilliseconds: 1_000)
    #expect(try Self.open(inner).position == 3)
    #expect(try DeltaTable.open(inner, BlobName(Self.name))?.snapshot.files.count == 1)
  }

  @Test func `behind rows that were refused nothing is committed`() throws {
    let store = MemoryBlobStore()
    let table = try Self.open(store)
    let foreign = ColumnBatch([ColumnType.integer])
    #expect(codeThrown { try table.append(foreign, nowMilliseconds: 1_000) } == "DELTA_ROWS_INVALID")
    #expect(
      codeThrown { try table.commit(upTo: 9, watermark: .min, nowMilliseconds: 1_000) } == "DELTA_ROWS_INVALID")
    #expect(try Self.open(store).position == nil)
  }
}
