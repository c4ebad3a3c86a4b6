internal import Codecs
package import Columns
package import Core

/// Rows of one task that wait for their tables.
///
/// Rows are appended as records are applied; `seal` makes them durable just before a checkpoint, whose record names the
/// segments; `noteCheckpoint` lets the publisher see them. So a crash at any line leaves either the rows in a segment
/// that the checkpoint knows, or the records in the log behind the checkpoint. A file that no checkpoint names is
/// removed when the spool is opened.
///
/// The task's thread owns it.
package final class Spool {
  package let ledger: SpoolLedger
  private let folder: SpoolFolder
  private let header: SpoolHeader
  private var file: SpoolFile?
  private var number: UInt64
  private var pending: [Pending]
  private var live: [SpoolRecord.Segment]
  /// What `seal` made, until the checkpoint has it.
  private var sealed: SpoolRecord?
  private let compressor = Compressor()
  private var scratch = ByteWriter()

  /// Rows of one table since the last seal.
  private struct Pending {
    var batch: ColumnBatch
    var rowCount: Int64 = 0
    /// Where the next segment begins.
    var from: Int64
    /// Rows of records below it were here when the spool was opened.
    var held: Int64
  }

  /// So many rows are one block.
  private static let blockRows = 4_096

  /// - Parameters:
  ///   - record: of the checkpoint that the task starts from.
  ///   - positions: S of each table's input there; the input's first offset where there is no state.
  ///   - published: D of each table.
  /// - Throws: SPOOL_CORRUPT when a segment of the checkpoint is not there.
  package init(
    path: String, tables: [OfflineTable], record: SpoolRecord, positions: [Int64], published: [Int64?]
  ) throws(HeadraceError) {
    folder = try SpoolFolder(making: path)
    let ledger = SpoolLedger(tables, folder: folder, published: published, segments: record.segments)
    self.ledger = ledger
    live = record.segments
    let known = Set(live.map(\.number))
    for number in try folder.numbers() where !known.contains(number) { folder.remove(number) }
    for segment in ledger.unpublished(among: live) {
      _ = try SpoolSegmentReader(path: folder.file(segment.number), sizeBytes: segment.sizeBytes)
    }
    number = (live.map(\.number).max() ?? 0) + 1
    // A view that is built again reads records whose rows an earlier form of it left here.
    let held = tables.map { table in
      record.segments.flatMap(\.tables).filter { $0.table == table.name && $0.rowCount > 0 }
        .map(\.offsets.upperBound).max() ?? .min
    }
    pending = tables.indices.map { table in
      Pending(batch: ColumnBatch(tables[table].types), from: max(positions[table], held[table]), held: held[table])
    }
    header = SpoolHeader(tables)
  }

  /// The first offset of a table's input whose rows are neither in the table nor here: rows of earlier records are not
  /// wanted.
  package func wantedFrom(_ table: Int) -> Int64 {
    max(ledger.published(table) ?? .min, pending[table].held)
  }

  /// Adds rows: `body` appends to the table's columns, in the order of its fields, and counts the rows.
  package func append(_ table: Int, _ body: (inout ColumnBatch) -> Void) throws(HeadraceError) {
    body(&pending[table].batch)
    if pending[table].batch.rowCount >= Self.blockRows { try writeBlock(table) }
  }

  /// Makes everything that was appended durable.
  ///
  /// - Parameters:
  ///   - positions: S of each table's input.
  ///   - watermarksMilliseconds: of each table's input there, for who reads the table's commits; nothing where nobody
  ///     knows.
  /// - Returns: what the checkpoint has to say.
  /// - Throws: SPOOL_DISK_FULL, SPOOL_IO: nothing is lost, and the next seal tries again.
  package func seal(
    _ positions: [Int64], watermarksMilliseconds: [Int64?] = []
  ) throws(HeadraceError) -> SpoolRecord {
    for table in pending.indices { try writeBlock(table) }
    var record = SpoolRecord()
    record.segments = ledger.unpublished(among: live)
    if let sizeBytes = file?.sizeBytes {
      try file?.synchronize()
      try folder.synchronize()
      var segment = SpoolRecord.Segment(number: number, sizeBytes: sizeBytes, tables: [])
      for (table, position) in zip(pending.indices, positions) {
        let from = pending[table].from
        segment.tables.append(
          .init(
            table: ledger.tables[table].name, offsets: from..<max(position, from), rowCount: pending[table].rowCount,
            watermarkMilliseconds: table < watermarksMilliseconds.count ? watermarksMilliseconds[table] : nil))
      }
      record.segments.append(segment)
    }
    sealed = record
    return record
  }

  /// The checkpoint is on the disk: the rows may go to their tables, and what all tables have may go away.
  package func noteCheckpoint(_ positions: [Int64]) {
    guard let record = sealed else { return }
    sealed = nil
    let kept = Set(record.segments.map(\.number))
    for segment in live where !kept.contains(segment.number) { folder.remove(segment.number) }
    live = record.segments
    ledger.replace(live)
    if file != nil {
      file = nil
      number += 1
    }
    for (table, position) in zip(pending.indices, positions) {
      pending[table].rowCount = 0
      pending[table].from = max(pending[table].from, position)
    }
  }

  private func writeBlock(_ table: Int) throws(HeadraceError) {
    guard pending[table].batch.rowCount > 0 else { return }
    if file == nil {
      var created = try SpoolFile(creating: folder.file(number))
      try created.append(SpoolFrame.magic)
      try created.append(SpoolFrame.frame(header.encoded()))
      file = consume created
    }
    scratch.bytes.removeAll(keepingCapacity: true)
    SpoolBlock.write(pending[table].batch, to: &scratch)
    let compressed: [UInt8]
    do throws(CodecError) {
      compressed = try unsafe scratch.bytes.span.bytes.withUnsafeBytes { (bytes) throws(CodecError) -> [UInt8] in
        unsafe try compressor.compress(bytes, codec: .lz4)
      }
    } catch {
      throw HeadraceError(.internal, "SPOOL_BLOCK", error.description, place: folder.path)
    }
    var payload = ByteWriter()
    payload.number(UInt16(clamping: table))
    payload.bytes += compressed
    try file?.append(SpoolFrame.frame(payload.bytes))
    pending[table].rowCount += Int64(pending[table].batch.rowCount)
    pending[table].batch.removeAll()
  }
}
