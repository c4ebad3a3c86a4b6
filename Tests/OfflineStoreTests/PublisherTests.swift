import Columns
import Core
import Delta
import Storage
import Synchronization
import TestSupport
import Testing

@testable import OfflineStore

/// Now and then an operation fails, and who asked for it may not know whether it took place.
private final class Faults: Sendable {
  private let random: Mutex<SplitMix64>

  init(_ seed: UInt64) { random = Mutex(SplitMix64(seed: seed)) }

  func verdict(_ operation: FaultyBlobStore.Operation) -> FaultyBlobStore.Verdict {
    switch random.withLock({ $0.next() }) % 24 {
    case 0: .fail
    case 1: .lose
    case 2: .applyAndFail
    default: .proceed
    }
  }
}

@Suite struct PublisherTests {
  /// Workers that die between any two steps, publishers that do not hear how a commit ended, two publishers for the
  /// same rows, a lost disk: the table has every row once, and says how far it is.
  @Test func `Every row comes to the table once`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let faults = Faults(random.next())
      let inner = MemoryBlobStore()
      let store = FaultyBlobStore(inner) { operation, _ in faults.verdict(operation) }
      var folder = try TestFolder()
      var saved: (record: SpoolRecord, offset: Int64) = (SpoolRecord(), 0)
      var highest: Int64 = 0
      for _ in 0..<5 {
        if random.next() % 6 == 0 {
          // The disk is gone; the log is still there.
          folder = try TestFolder()
          saved = (SpoolRecord(), 0)
        }
        let spool = try Self.open(folder, saved, inner)
        let publishers = [TablePublisher(store), TablePublisher(store)]
        var offset = saved.offset
        for _ in 0..<Int(random.next() % 7) {
          for _ in 0..<Int(random.next() % 300) {
            if offset >= spool.wantedFrom(0) { try spool.append(0) { TestTable.append(offset, to: &$0) } }
            offset += 1
          }
          let record = try spool.seal([offset]).record
          if random.next() % 8 == 0 { break }
          saved = (record, offset)
          highest = max(highest, offset)
          if random.next() % 8 == 0 { break }
          spool.noteCheckpoint()
          publish(publishers[Int(random.next() % 2)], spool.ledger)
        }
      }
      // The last life reads on to where the state was at most, and everything is published.
      let spool = try Self.open(folder, saved, inner)
      for offset in saved.offset..<max(highest, saved.offset) where offset >= spool.wantedFrom(0) {
        try spool.append(0) { TestTable.append(offset, to: &$0) }
      }
      let end = max(highest, saved.offset)
      _ = try spool.seal([end])
      spool.noteCheckpoint()
      publish(TablePublisher(inner), spool.ledger)
      #expect(spool.ledger.failure == nil, "seed \(seed)")
      #expect(try Self.rows(inner) == Array(0..<end), "seed \(seed)")
      if end > 0 { #expect(try TablePublisher.progress(TestTable.make(), in: inner) == end, "seed \(seed)") }
    }
  }

  /// Also when another life publishes what the former one has sealed.
  @Test func `A commit says where its rows end, the watermark there, and the plan`() throws {
    let folder = try TestFolder()
    let store = MemoryBlobStore()
    var offline = TestTable.make()
    offline.planFingerprint = "plan"
    var record = SpoolRecord()
    var expected: [CommitProvenance] = []
    var from: Int64 = 0
    for (end, watermark) in [(3, nil), (5, 77), (9, 80)] as [(Int64, Int64?)] {
      let spool = try Spool(
        path: folder.path + "/spool", tables: [offline], record: record, positions: [from],
        published: [try TablePublisher.progress(offline, in: store)])
      publish(TablePublisher(store), spool.ledger)
      for offset in from..<end { try spool.append(0) { TestTable.append(offset, to: &$0) } }
      var writer = ByteWriter()
      try spool.seal([end], watermarksMilliseconds: [watermark]).record.write(to: &writer)
      var reader = unsafe ByteReader(writer.bytes.span.bytes, place: "test")
      record = try SpoolRecord(from: &reader, hasWatermarks: true)
      from = end
      var provenance = CommitProvenance()
      provenance.offsets = [.init(topic: offline.topic, partition: 0, offset: end)]
      provenance.watermarkMilliseconds = watermark
      provenance.planFingerprint = "plan"
      expected.insert(provenance, at: 0)
    }
    let spool = try Spool(
      path: folder.path + "/spool", tables: [offline], record: record, positions: [from],
      published: [try TablePublisher.progress(offline, in: store)])
    publish(TablePublisher(store), spool.ledger)
    let table = try #require(try DeltaTable.open(store, try BlobName("events/test")))
    let found = try table.history(countMax: 3).map { $0.info.flatMap { CommitProvenance($0) } }
    #expect(found == expected)
  }

  private func publish(_ publisher: TablePublisher, _ ledger: SpoolLedger) {
    _ = publisher.publishDue(
      ledger, nowMilliseconds: 1_700_000_000_000, monotonicMilliseconds: 0, freshnessMilliseconds: 0, bytesMax: 0)
  }

  private static func open(
    _ folder: TestFolder, _ saved: (record: SpoolRecord, offset: Int64), _ store: any BlobStore
  ) throws -> Spool {
    try Spool(
      path: folder.path + "/spool", tables: [TestTable.make()], record: saved.record, positions: [saved.offset],
      published: [try TablePublisher.progress(TestTable.make(), in: store)])
  }

  private static func rows(_ store: any BlobStore) throws -> [Int64] {
    guard let table = try DeltaTable.open(store, try BlobName("events/test")) else { return [] }
    let scan = try TableScan(table)
    var batch = ColumnBatch(scan.types)
    var offsets: [Int64] = []
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let offset = batch.columns[2].integers[row]
        offsets.append(offset)
        #expect(batch.columns[0].doubles[row] == Double(offset) / 4)
        #expect(batch.columns[1].isValid[row] == (offset % 5 != 0))
      }
    }
    return offsets.sorted()
  }
}
