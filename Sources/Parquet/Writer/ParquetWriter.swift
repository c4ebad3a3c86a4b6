internal import Codecs
package import Columns
package import Core

/// Writes a file row group by row group. One thread; memory is that of an open row group, and of the output until it is
/// taken.
///
/// After an error the file is void: the writer refuses everything that follows.
package final class ParquetWriter {
  package let schema: ParquetSchema
  private let configuration: ParquetWriterConfiguration
  private let chunks: [ChunkWriter]
  private let output = PageBuffer()
  private var indexes = PendingIndexes()
  private var metadata = FileMetadata()
  private var summaries: [ColumnSummary]

  /// Rows that are too few to be encoded on their own.
  private var waiting: ColumnBatch
  private let isFlat: Bool
  var shredder: RowShredder
  private var takenBytes = 0
  private var state = State.open

  private enum State { case open, finished, failed }

  /// Rows that are handed to the encoders at once, so that a decision has enough to go by and loops are long.
  static let sliceRows = 65_536
  static let smallestSliceRows = 16_384

  package init(
    schema: ParquetSchema, configuration: ParquetWriterConfiguration = .init()
  ) throws(HeadraceError) {
    self.schema = schema
    self.configuration = configuration
    for leaf in schema.leaves where leaf.columnType == nil || leaf.physicalType == .int96 || !leaf.isWritable {
      throw HeadraceError(
        .user, "PARQUET_SCHEMA", "\(leaf.refusedTypeName) is not written", place: "column \(leaf.name)")
    }
    guard !schema.leaves.isEmpty, Set(schema.leaves.map(\.path)).count == schema.leaves.count else {
      throw HeadraceError(.user, "PARQUET_SCHEMA", "no columns, or two of the same name")
    }
    var tools = EncodingTools(configuration)
    chunks = schema.leaves.enumerated().map { index, leaf in
      // What several threads work with, each has of its own.
      if index > 0, configuration.threadCount > 1 { tools = EncodingTools(configuration) }
      return ChunkWriter(leaf, configuration, compressor: tools.compressor, trial: tools.trial)
    }
    summaries = schema.leaves.map { ColumnSummary($0) }
    waiting = ColumnBatch(schema.leaves.map { $0.columnType ?? .bytes })
    isFlat = schema.leaves.count == schema.fields.count && schema.leaves.allSatisfy { $0.maximumRepetitionLevel == 0 }
    shredder = RowShredder(schema)
    output.append(ParquetLimits.magic)
  }

  /// Rows that were appended.
  package private(set) var rowCount = 0
  /// Bytes that wait to be taken.
  package var outputBytes: Int { output.count }
  /// Bytes of the file so far.
  package var writtenBytes: Int { takenBytes + output.count }
  /// What the open row group holds in memory.
  package var bufferedBytes: Int { chunks.reduce(0) { $0 + $1.bufferedBytes } }

  /// The file's next bytes, which the writer then forgets.
  package func takeOutput() -> [UInt8] {
    takenBytes += output.count
    defer { output.removeAll() }
    return unsafe [UInt8](output.bytes)
  }

  /// Hands the file's next bytes over without copying them.
  ///
  /// - Parameter body: must take all of them; when it throws, they stay.
  package func drain(_ body: (UnsafeRawBufferPointer) throws(HeadraceError) -> Void) throws(HeadraceError) {
    unsafe try body(output.bytes)
    takenBytes += output.count
    output.removeAll()
  }

  /// Appends the rows of a batch whose columns are those of a flat schema, in their order.
  ///
  /// - Throws: `PARQUET_SCHEMA` when the columns are others, `PARQUET_VALUE` for a value that does not fit.
  package func append(_ batch: borrowing ColumnBatch) throws(HeadraceError) {
    guard isFlat else {
      throw HeadraceError(.user, "PARQUET_SCHEMA", "a batch for a nested schema", remedy: "append rows")
    }
    guard batch.columns.map(\.type) == waiting.columns.map(\.type),
      batch.columns.allSatisfy({ $0.count == batch.rowCount })
    else {
      throw HeadraceError(
        .user, "PARQUET_SCHEMA", "a batch of \(batch.columns.map { "\($0.type)" }.joined(separator: ", "))",
        remedy: "the schema has \(waiting.columns.map { "\($0.type)" }.joined(separator: ", "))")
    }
    let added = batch.rowCount
    let columns = batch.columns
    try attempt { () throws(HeadraceError) in
      if waiting.rowCount == 0, added >= Self.smallestSliceRows { return try encode(columns, added) }
      for index in columns.indices { waiting.columns[index].append(0..<added, of: columns[index]) }
      waiting.rowCount += added
      if waiting.rowCount >= Self.smallestSliceRows || waitingTextBytes >= configuration.pageBytes {
        try encodeWaiting()
      }
    }
    rowCount += added
  }

  /// Appends rows of any schema: each a `.structure` over the fields of its top.
  package func append(rows: [ParquetValue]) throws(HeadraceError) {
    try attempt { () throws(HeadraceError) in
      try encodeWaiting()
      for row in rows {
        try shredder.append(row)
        rowCount += 1
        if shredder.isFull { try encodeShredded() }
      }
    }
  }

  /// Ends the last row group and the file. Its last bytes are then in the output.
  package func finish() throws(HeadraceError) {
    try attempt { () throws(HeadraceError) in
      try encodeWaiting()
      try encodeShredded()
      try endRowGroup()
      appendFooter()
    }
    state = .finished
  }

  /// What the whole file holds, leaf by leaf; after `finish`.
  package func columnSummaries() -> [ParquetColumnSummary] { summaries.map(\.summary) }

  private func attempt(_ body: () throws(HeadraceError) -> Void) throws(HeadraceError) {
    guard state == .open else {
      throw HeadraceError(.internal, "PARQUET_WRITER_CLOSED", "the file is \(state), and takes no more")
    }
    do throws(HeadraceError) {
      try body()
    } catch {
      state = .failed
      throw error
    }
  }
}

@available(*, unavailable, message: "its buffers belong to one thread: keep one per thread")
extension ParquetWriter: Sendable {}

// MARK: Row groups

extension ParquetWriter {
  private var waitingTextBytes: Int { waiting.columns.reduce(0) { $0 + $1.text.bytes.count } }

  private func encodeWaiting() throws(HeadraceError) {
    guard waiting.rowCount > 0 else { return }
    try encode(waiting.columns, waiting.rowCount)
    waiting.removeAll()
  }

  private func encode(_ columns: [Column], _ count: Int) throws(HeadraceError) {
    var next = 0
    while next < count {
      let room = configuration.rowGroupRows - (chunks.first?.openRowCount ?? 0)
      let end = min(count, next + min(Self.sliceRows, room))
      if configuration.threadCount > 1 {
        let (workers, rows) = (ColumnWorkers(chunks: chunks), next..<end)
        try ParallelWork.run(columns.count, threadCount: configuration.threadCount) { (index) throws(HeadraceError) in
          try workers.chunks[index].append(rows, of: columns[index])
        }
      } else {
        for (chunk, column) in zip(chunks, columns) { try chunk.append(next..<end, of: column) }
      }
      next = end
      try endRowGroupIfFull()
    }
  }

  private func encodeShredded() throws(HeadraceError) {
    guard shredder.rowCount > 0 else { return }
    for (chunk, leaf) in zip(chunks, shredder.leaves) {
      try chunk.append(leaf.values, definitions: leaf.definitions, repetitions: leaf.repetitions)
    }
    shredder.removeAll()
    try endRowGroupIfFull()
  }

  private func endRowGroupIfFull() throws(HeadraceError) {
    guard let first = chunks.first else { return }
    if first.openRowCount >= configuration.rowGroupRows || bufferedBytes >= configuration.rowGroupBytes {
      try endRowGroup()
    }
  }

  private func endRowGroup() throws(HeadraceError) {
    guard let first = chunks.first, first.openRowCount > 0 else { return }
    var group = RowGroupMetadata()
    group.rowCount = first.openRowCount
    group.fileOffset = writtenBytes
    group.ordinal = Int16(exactly: metadata.rowGroups.count)
    for (index, chunk) in chunks.enumerated() {
      let column = try append(chunk)
      summaries[index].include(chunk.bounds, nullCount: chunk.nullCount)
      group.uncompressedBytes += column.uncompressedBytes
      group.compressedBytes = (group.compressedBytes ?? 0) + column.compressedBytes
      group.columns.append(column)
    }
    for (index, chunk) in chunks.enumerated() {
      appendBloomFilter(chunk, &group.columns[index])
      chunk.removeAll()
    }
    metadata.rowCount += group.rowCount
    metadata.rowGroups.append(group)
  }

  private func append(_ chunk: ChunkWriter) throws(HeadraceError) -> ColumnMetadata {
    try chunk.finishPages()
    let start = writtenBytes
    let dictionaryBytes = try chunk.appendDictionaryPage(to: output)
    let dataStart = writtenBytes
    unsafe output.append(chunk.data.bytes)
    var column = ColumnMetadata()
    column.type = chunk.leaf.physicalType.rawValue
    column.path = chunk.leaf.path
    column.codec = configuration.codec.rawValue
    column.valueCount = chunk.valueCount
    column.uncompressedBytes = chunk.uncompressedBytes + dictionaryBytes
    column.compressedBytes = writtenBytes - start
    column.dataPageOffset = dataStart
    column.dictionaryPageOffset = dictionaryBytes > 0 ? start : nil
    column.statistics = StoredStatistics(chunk)
    column.setEncodings(chunk.pages, hasDictionary: dictionaryBytes > 0, version: configuration.pageVersion)
    if configuration.writesPageIndex {
      indexes.append(
        columnIndex: PageIndex.columnIndex(chunk.pages, chunk.leaf),
        offsetIndex: PageIndex.offsetIndex(chunk.pages, start: dataStart))
    }
    return column
  }

  private func appendBloomFilter(_ chunk: ChunkWriter, _ column: inout ColumnMetadata) {
    guard let hashes = chunk.hashes?.hashes, !hashes.isEmpty else { return }
    var filter = ParquetBloomFilter(
      distinctCount: Set(hashes).count, falsePositives: configuration.bloomFalsePositives,
      maximumBytes: configuration.maximumBloomBytes)
    for hash in hashes { filter.insert(hash) }
    let bytes = filter.encoded()
    column.bloomFilterOffset = writtenBytes
    column.bloomFilterBytes = bytes.count
    output.append(bytes)
  }

  private func appendFooter() {
    metadata.schema = SchemaElement.flattened(schema)
    metadata.keyValues = configuration.keyValueMetadata.map { .init(key: $0.key, value: $0.value) }
    metadata.createdBy = configuration.createdBy
    metadata.columnOrderCount = schema.leaves.count
    for (kind, entries) in [(true, indexes.columnIndexes), (false, indexes.offsetIndexes)] {
      for (number, bytes) in entries.enumerated() {
        guard let bytes else { continue }
        let (group, column) = number.quotientAndRemainder(dividingBy: schema.leaves.count)
        if kind {
          metadata.rowGroups[group].columns[column].columnIndexOffset = writtenBytes
          metadata.rowGroups[group].columns[column].columnIndexBytes = bytes.count
        } else {
          metadata.rowGroups[group].columns[column].offsetIndexOffset = writtenBytes
          metadata.rowGroups[group].columns[column].offsetIndexBytes = bytes.count
        }
        output.append(bytes)
      }
    }
    let footer = metadata.encoded()
    output.append(footer)
    output.append((0..<4).map { UInt8(truncatingIfNeeded: footer.count >> (8 * $0)) })
    output.append(ParquetLimits.magic)
  }
}

/// Each column is the work of one thread at a time, and they share nothing.
private struct ColumnWorkers: @unchecked Sendable {
  let chunks: [ChunkWriter]
}

private struct EncodingTools {
  let compressor: BlockCompressor
  let trial: EncodingTrial

  init(_ configuration: ParquetWriterConfiguration) {
    compressor = BlockCompressor(zstandardLevel: configuration.zstandardLevel)
    trial = EncodingTrial(
      codec: configuration.codec, compressor: compressor, choosesEncodings: configuration.choosesEncodings)
  }
}

/// Page indexes of the row groups that are written, until the footer: in the order of groups and leaves.
private struct PendingIndexes {
  private(set) var columnIndexes: [[UInt8]?] = []
  private(set) var offsetIndexes: [[UInt8]?] = []

  mutating func append(columnIndex: [UInt8]?, offsetIndex: [UInt8]) {
    columnIndexes.append(columnIndex)
    offsetIndexes.append(offsetIndex)
  }
}
