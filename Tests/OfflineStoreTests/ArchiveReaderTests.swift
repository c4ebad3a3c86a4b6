import Columns
import Core
import Delta
import Storage
import TestSupport
import Testing

@testable import OfflineStore

/// However the files of an archive lie, a partition is read in the order of its offsets, each record once.
@Suite struct ArchiveReaderTests {
  private static let fields = [OfflineTable.Field("amount", .double), .init("who", .string)]
  private static let topic = "input"

  private struct Row: Equatable {
    var partition: Int32
    var offset: Int64
    var amount: Double
    var time: Int64
    var watermark: Int64?
  }

  /// Rows in files that overlap, with several partitions in each; some of them twice, some of another topic.
  private static func table(_ random: inout SplitMix64, _ store: any BlobStore) throws -> [Row] {
    let offline = OfflineTable(
      name: EventArchive.name(source: "s"), fields: fields + EventArchive.decisions,
      offsetField: fields.count + EventArchive.offsetDecision, topology: "t", topic: topic, partition: 0)
    let schema = try DeltaSchema(
      offline.fields.map { DeltaField($0.name, DeltaType($0.type), isNullable: $0.isNullable) })
    var table = try DeltaTable.create(
      store, try BlobName(offline.name), schema: schema, name: offline.name, nowMilliseconds: 1)
    var rows: [Row] = []
    for partition in 0..<Int32(3) {
      var offset = Int64(random.next() % 50)
      for _ in 0..<Int(random.next() % 900) {
        offset += 1 + Int64(random.next() % 3)
        rows.append(
          Row(
            partition: partition, offset: offset, amount: Double(random.next() % 1_000),
            time: 1_000_000 + offset * 10 - Int64(random.next() % 500),
            watermark: random.next() % 9 == 0 ? nil : Int64(random.next() % 1_000)))
      }
    }
    var waiting = rows.shuffled(using: &random)
    if random.next() % 2 == 0 { waiting.sort { ($0.partition, $0.offset) < ($1.partition, $1.offset) } }
    waiting += waiting.prefix(20)
    while !waiting.isEmpty {
      let part = waiting.prefix(1 + Int(random.next() % 400))
      waiting = Array(waiting.dropFirst(part.count))
      var batch = ColumnBatch(offline.types)
      for row in part {
        append(row, topic: topic, to: &batch)
        if random.next() % 20 == 0 { append(row, topic: "other", to: &batch) }
      }
      let writer = try TableWriter(table)
      try writer.append(batch, nowMilliseconds: 1)
      _ = try table.commit(.append(try writer.finish(nowMilliseconds: 1)), nowMilliseconds: 1)
    }
    return rows
  }

  private static func append(_ row: Row, topic: String, to batch: inout ColumnBatch) {
    batch.columns[0].append(row.amount)
    batch.columns[1].append("who \(row.offset % 9)")
    let decision = EventArchive.Decision(
      eventTimeMilliseconds: row.time, knownMilliseconds: row.time + 5, watermarkMilliseconds: row.watermark,
      offset: row.offset)
    unsafe EventArchive.append(
      decision, outcome: Array("applied".utf8).span.bytes, topic: Array(topic.utf8).span.bytes,
      partition: row.partition, to: &batch, from: fields.count)
    batch.rowCount += 1
  }

  private static func read(_ archive: ArchiveSnapshot, _ request: ArchiveReader.Request) throws -> [Row] {
    let reader = try archive.reader(request)
    var batch = ColumnBatch([])
    var rows: [Row] = []
    while try reader.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let watermark = batch.columns[4]
        rows.append(
          Row(
            partition: Int32(batch.columns[7].integers[row]), offset: batch.columns[8].integers[row],
            amount: batch.columns[0].doubles[row], time: batch.columns[2].integers[row] / 1_000,
            watermark: watermark.isValid[row] ? watermark.integers[row] / 1_000 : nil))
      }
    }
    return rows
  }

  @Test func `a partition comes in the order of its offsets`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for _ in 0..<12 {
      let store = MemoryBlobStore()
      let rows = try Self.table(&random, store)
      let archive = try #require(try ArchiveSnapshot.open(store, source: "s"))
      for partition in 0..<Int32(3) {
        let first = Int64(random.next() % 300)
        let offsets = first..<first + Int64(random.next() % 2_000)
        var request = ArchiveReader.Request(
          topic: Self.topic, partition: partition, fields: Self.fields, defaults: [.null, .null], offsets: offsets)
        request.bufferBytesMax = [2_000, 20_000, 1 << 20][Int(random.next() % 3)]
        var expected = rows.filter { $0.partition == partition && offsets.contains($0.offset) }
        if random.next() % 2 == 0 {
          request.times = (.event, 1_002_000..<1_009_000)
          expected = expected.filter { (1_002_000..<1_009_000).contains($0.time) }
        }
        #expect(try Self.read(archive, request) == expected.sorted { $0.offset < $1.offset }, "seed \(seed)")
        let bounds = try archive.reader(request).offsetBounds
        #expect(expected.allSatisfy { bounds?.contains($0.offset) ?? false }, "seed \(seed)")
      }
    }
  }

  @Test func `a field that the archive does not have says its default`() throws {
    var random = SplitMix64(seed: 3)
    let store = MemoryBlobStore()
    let rows = try Self.table(&random, store)
    let archive = try #require(try ArchiveSnapshot.open(store, source: "s"))
    let reader = try archive.reader(
      .init(
        topic: Self.topic, partition: 1, fields: [.init("new", .integer), Self.fields[0]],
        defaults: [.integer(7), .null],
        offsets: 0..<10_000))
    var batch = ColumnBatch([])
    var count = 0
    while try reader.next(into: &batch) {
      for row in 0..<batch.rowCount { #expect(batch.columns[0].value(row) == .integer(7)) }
      count += batch.rowCount
    }
    #expect(count == rows.count { $0.partition == 1 })
    #expect(throws: HeadraceError.self) {
      _ = try archive.reader(
        .init(
          topic: Self.topic, partition: 1, fields: [.init("amount", .string)], defaults: [.null], offsets: 0..<10))
    }
  }

  @Test func `what a publisher writes says where it begins`() throws {
    let store = MemoryBlobStore()
    let folder = try TestFolder()
    let table = OfflineTable(
      name: EventArchive.name(source: "s"), fields: Self.fields + EventArchive.decisions,
      offsetField: Self.fields.count + EventArchive.offsetDecision, topology: "t", topic: Self.topic, partition: 2)
    let spool = try Spool(
      path: folder.path + "/spool", tables: [table], record: SpoolRecord(), positions: [40], published: [nil])
    for offset in [Int64(45), 46, 49] {
      try spool.append(0) {
        Self.append(
          Row(partition: 2, offset: offset, amount: 1, time: offset, watermark: nil), topic: Self.topic, to: &$0)
      }
    }
    _ = try spool.seal([60])
    spool.noteCheckpoint()
    #expect(spool.ledger.isWaiting(0))
    _ = TablePublisher(store).publishDue(
      spool.ledger, nowMilliseconds: 1, monotonicMilliseconds: 0, freshnessMilliseconds: 0, bytesMax: 0)
    #expect(spool.ledger.failure == nil && !spool.ledger.isWaiting(0))
    let archive = try #require(try ArchiveSnapshot.open(store, source: "s"))
    let reach = try #require(try archive.reach(topology: "t", topic: Self.topic, partition: 2))
    #expect(reach.firstOffset == 40 && reach.nextOffset == 60)
    #expect(try archive.reach(topology: "t", topic: Self.topic, partition: 0) == nil)
    #expect(archive.progress(topology: "t", topic: Self.topic) == [2: 60])
  }
}
