import Columns
import Core
import TestSupport
import Testing

@testable import OfflineStore

@Suite struct SpoolTests {
  @Test func `A block gives back its rows, and cut or changed bytes are refused`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let types: [ColumnType] = [.boolean, .integer, .double, .string, .bytes, .timestamp, .date, .decimal(scale: 2)]
    for _ in 0..<50 {
      var batch = ColumnBatch(types)
      for _ in 0..<Int(random.next() % 40) {
        for column in types.indices { _ = batch.columns[column].append(Self.value(types[column], &random)) }
        batch.rowCount += 1
      }
      var writer = ByteWriter()
      SpoolBlock.write(batch, to: &writer)
      var read = ColumnBatch(types)
      unsafe try SpoolBlock.read(writer.bytes.span.bytes, place: "test", into: &read)
      #expect(read.rowCount == batch.rowCount, "seed \(seed)")
      for column in types.indices {
        let written = (0..<batch.rowCount).map { batch.columns[column].value($0) }
        #expect((0..<read.rowCount).map { read.columns[column].value($0) } == written, "seed \(seed)")
      }
      for length in stride(from: 0, to: writer.bytes.count, by: 7) {
        let cut = Array(writer.bytes[..<length])
        #expect(throws: HeadraceError.self, "seed \(seed)") {
          unsafe try SpoolBlock.read(cut.span.bytes, place: "test", into: &read)
        }
      }
    }
  }

  private static func value(_ type: ColumnType, _ random: inout SplitMix64) -> Value {
    let word = random.next()
    if word % 4 == 0 { return .null }
    switch type {
    case .boolean: return .boolean(word % 2 == 0)
    case .integer: return .integer(Int64(bitPattern: word))
    case .double: return .double(Double(bitPattern: word & ~(0x7ff << 52)))
    case .string: return .string("text \(word % 100)")
    case .bytes: return .bytes([UInt8(truncatingIfNeeded: word), 0, 255])
    case .timestamp: return .timestamp(Int64(bitPattern: word))
    case .date: return .date(Int64(word % 100_000))
    case .decimal(let scale): return .decimal(unscaled: Int128(Int64(bitPattern: word)) * 3, scale: scale)
    }
  }

  /// A worker that appends, seals, checkpoints and dies at random places; what its checkpoints know must be in the
  /// segments, once, in order.
  @Test func `Whatever a worker dies of, rows below its checkpoint are in the spool once`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for _ in 0..<25 {
      let folder = try TestFolder()
      var saved: (record: SpoolRecord, offset: Int64) = (SpoolRecord(), 0)
      var published: Int64?
      for _ in 0..<6 {
        // A life.
        var offset = saved.offset
        let spool = try Spool(
          path: folder.path + "/spool", tables: [TestTable.make()], record: saved.record, positions: [offset],
          published: [published])
        for _ in 0..<Int(random.next() % 8) {
          for _ in 0..<Int(random.next() % 9_000) {
            if offset >= spool.wantedFrom(0) { try spool.append(0) { TestTable.append(offset, to: &$0) } }
            offset += 1
          }
          switch random.next() % 5 {
          case 0: continue
          case 4:
            // The disk takes no checkpoint: the next one has its rows too.
            _ = try spool.seal([offset])
            spool.noteRefused()
          case 1: _ = try spool.seal([offset])  // and the checkpoint fails, or the process dies
          default:
            let rows = try spool.seal([offset])
            try rows.synchronize()
            saved = (rows.record, offset)
            if random.next() % 5 > 0 { spool.noteCheckpoint() }
          }
          if random.next() % 2 == 0, let rows = try Self.waiting(spool) {
            #expect(rows.first.map { $0 >= published ?? 0 } ?? true, "seed \(seed)")
            published = spool.ledger.published(0)
          }
        }
      }
      // What the last checkpoint knows, and no table has.
      let spool = try Spool(
        path: folder.path + "/spool", tables: [TestTable.make()], record: saved.record, positions: [saved.offset],
        published: [published])
      let rows = try Self.waiting(spool) ?? []
      #expect(rows == Array((published ?? 0)..<saved.offset), "seed \(seed)")
    }
  }

  /// Offsets of the rows that wait, which count as published from then on.
  private static func waiting(_ spool: Spool) throws -> [Int64]? {
    guard let work = spool.ledger.due(nowMilliseconds: 0, freshnessMilliseconds: 0, bytesMax: 0) else { return nil }
    var offsets: [Int64] = []
    var batch = ColumnBatch(TestTable.make().types)
    for part in work.parts {
      var reader = try SpoolSegmentReader(
        path: spool.ledger.folder.file(part.segment.number), sizeBytes: part.segment.sizeBytes)
      while try reader.next(table: part.position, into: &batch) {
        for row in 0..<batch.rowCount {
          let offset = batch.columns[2].integers[row]
          if offset >= work.from ?? .min { offsets.append(offset) }
          #expect(batch.columns[0].doubles[row] == Double(offset) / 4)
        }
      }
    }
    spool.ledger.notePublished(0, upTo: work.to)
    return offsets
  }
}
