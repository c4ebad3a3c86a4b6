internal import Codecs
package import Columns
package import Core

/// Rows of one task that wait for their tables.
///
/// Rows are appended as records are applied; `seal` ends their segment, which is made durable just before the
/// checkpoint whose record names it; `noteCheckpoint` lets the publisher see it. So a crash at any line leaves either
/// the rows in a segment that the checkpoint knows, or the records in the log behind the checkpoint. A file that no
/// checkpoint names is removed when the spool is opened.
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
  /// Segments that have ended and that no checkpoint names yet: more than one where checkpoints were refused.
  private var unnamed: [(segment: SpoolRecord.Segment, file: SealedFile)] = []
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

  /// Ends the segment of everything that was appended. It is durable when what is returned was synchronized, and rows
  /// that are appended meanwhile belong to the next one.
  ///
  /// - Parameters:
  ///   - positions: S of each table's input.
  ///   - watermarksMilliseconds: of each table's input there, for who reads the table's commits; nothing where nobody
  ///     knows.
  /// - Throws: SPOOL_DISK_FULL, SPOOL_IO: nothing is lost, and the next seal tries again.
  package func seal(
    _ positions: [Int64], watermarksMilliseconds: [Int64?] = []
  ) throws(HeadraceError) -> SealedRows {
    for table in pending.indices { try writeBlock(table) }
    var ended = SpoolRecord.Segment(number: number, sizeBytes: file?.sizeBytes ?? 0, tables: [])
    for (table, position) in zip(pending.indices, positions) {
      let from = pending[table].from
      ended.tables.append(
        .init(
          table: ledger.tables[table].name, offsets: from..<max(position, from), rowCount: pending[table].rowCount,
          watermarkMilliseconds: table < watermarksMilliseconds.count ? watermarksMilliseconds[table] : nil))
      pending[table].rowCount = 0
      pending[table].from = max(from, position)
    }
    if let written = file.take() {
      unnamed.append((ended, SealedFile(written)))
      number += 1
    }
    var record = SpoolRecord()
    record.segments = ledger.unpublished(among: live) + unnamed.map(\.segment)
    sealed = record
    return SealedRows(record: record, files: unnamed.map(\.file), folder: folder)
  }

  /// The checkpoint is on the disk: the rows may go to their tables, and what all tables have may go away.
  package func noteCheckpoint() {
    guard let record = sealed.take() else { return }
    let kept = Set(record.segments.map(\.number))
    for segment in live where !kept.contains(segment.number) { folder.remove(segment.number) }
    unnamed = []
    live = record.segments
    ledger.replace(live)
  }

  /// The checkpoint is not on the disk: where nothing was written since, the segment goes on, so that a disk that stays
  /// full does not leave many small ones.
  package func noteRefused() {
    sealed = nil
    guard file == nil, let last = unnamed.last, let reopened = last.file.take() else { return }
    unnamed.removeLast()
    file = consume reopened
    number = last.segment.number
    for (table, part) in zip(pending.indices, last.segment.tables) {
      pending[table].rowCount = part.rowCount
      pending[table].from = part.offsets.lowerBound
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
