internal import Codecs
internal import Columns
internal import Core

/// Collects the values of one leaf for the open row group: pages are encoded and compressed as they fill.
final class ChunkWriter {
  let leaf: ParquetLeaf
  private let configuration: ParquetWriterConfiguration
  private let pageEncoder: PageEncoder
  private let trial: EncodingTrial
  private var input: ColumnInput
  private let isSignedBytes: Bool

  private let dictionary: ValueDictionary?
  private var choice: EncodingChoice?
  private var isInDictionary = false
  /// Numbers of the open page's values in the dictionary.
  private let indexes = PageBuffer()
  /// The open page's values without a dictionary.
  private var direct: Column
  /// Levels of the open page; while none of its values is null or repeated, only their count.
  private var definitions: [UInt8] = []
  private var repetitions: [UInt8] = []
  private var pageValueCount = 0
  private var pageNullCount = 0
  private var pageRowCount = 0
  private var pageBounds = ValueBounds()

  private(set) var pages: [PageRecord] = []
  /// Finished data pages, with their headers.
  let data = PageBuffer()
  private(set) var uncompressedBytes = 0
  private(set) var valueCount = 0
  /// Rows in finished pages.
  private(set) var rowCount = 0
  private(set) var hashes: BloomHashes?

  init(
    _ leaf: ParquetLeaf, _ configuration: ParquetWriterConfiguration, compressor: BlockCompressor,
    trial: EncodingTrial
  ) {
    self.leaf = leaf
    self.configuration = configuration
    self.trial = trial
    pageEncoder = PageEncoder(leaf, configuration, compressor: compressor)
    input = ColumnInput(leaf)
    direct = Column(leaf.storedColumnType)
    isSignedBytes = leaf.storedColumnType == .bytes && leaf.columnType?.storage == .decimals
    let isWorthIt = leaf.physicalType != .boolean && configuration.dictionaryBytes > 0
    dictionary = isWorthIt ? ValueDictionary(isText: leaf.storedColumnType == .bytes) : nil
    if configuration.bloomFilters.contains(leaf.name) { hashes = BloomHashes() }
  }

  /// Rows of the open row group.
  var openRowCount: Int { rowCount + pageRowCount }

  /// What waits in memory to be written.
  var bufferedBytes: Int { data.count + (dictionary?.plainBytes ?? 0) + openPageBytes }

  private var openPageBytes: Int { indexes.count + direct.count * 8 + direct.text.bytes.count }

  func removeAll() {
    dictionary?.removeAll()
    choice = nil
    isInDictionary = false
    pages.removeAll(keepingCapacity: true)
    data.removeAll()
    uncompressedBytes = 0
    valueCount = 0
    rowCount = 0
    hashes?.removeAll()
  }

  /// Appends rows of a leaf without repetition.
  func append(_ rows: Range<Int>, of column: borrowing Column) throws(HeadraceError) {
    guard column.nullCount == 0 || leaf.maximumDefinitionLevel > 0 else { throw nullIsRequired() }
    var next = rows.lowerBound
    while next < rows.upperBound {
      let taken = next..<next + min(rows.upperBound - next, configuration.pageRows - pageRowCount)
      var end = taken.upperBound
      if column.type.storage == .text { end = textEnd(taken, column.text) }
      try appendFlat(next..<end, of: column)
      if isPageFull { try cutPage() }
      next = end
    }
  }

  /// How far rows reach until their strings fill the page; at least one row.
  private func textEnd(_ rows: Range<Int>, _ text: borrowing TextBuffer) -> Int {
    let start = rows.lowerBound == 0 ? 0 : text.ends[rows.lowerBound - 1]
    let limit = start + max(configuration.pageBytes - direct.text.bytes.count, 1)
    guard text.ends[rows.upperBound - 1] > limit else { return rows.upperBound }
    var (low, high) = (rows.lowerBound, rows.upperBound - 1)
    while low < high {
      let middle = (low + high) / 2
      if text.ends[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low + 1
  }

  private func appendFlat(_ rows: Range<Int>, of column: borrowing Column) throws(HeadraceError) {
    let nulls = column.nullCount == 0 ? 0 : column.isValid[rows].count { !$0 }
    if leaf.maximumDefinitionLevel > 0, nulls > 0 || !definitions.isEmpty {
      writeOutLevels()
      definitions.append(contentsOf: column.isValid[rows].lazy.map { $0 ? 1 : 0 })
    }
    count(values: rows.count, nulls: nulls, rows: rows.count)
    if nulls == 0, input.isStored(column) {
      try appendStored(rows, of: column)
    } else {
      try input.take(rows, of: column)
      try appendStored(0..<input.stored.count, of: input.stored)
    }
  }

  /// Appends values with their levels, of rows that are whole.
  ///
  /// - Parameter values: those that are not null.
  func append(
    _ values: borrowing Column, definitions newDefinitions: [UInt8], repetitions newRepetitions: [UInt8]
  ) throws(HeadraceError) {
    let maximum = UInt8(truncatingIfNeeded: leaf.maximumDefinitionLevel)
    var start = 0
    var firstValue = 0
    while start < newDefinitions.count {
      // Pages begin with a row.
      var end = start
      var rows = 0
      var present = 0
      while end < newDefinitions.count, rows < configuration.pageRows - pageRowCount || newRepetitions[end] > 0,
        present < 8_192 || newRepetitions[end] > 0
      {
        if newRepetitions[end] == 0 { rows += 1 }
        if newDefinitions[end] == maximum { present += 1 }
        end += 1
      }
      if maximum > 0 {
        writeOutLevels()
        definitions.append(contentsOf: newDefinitions[start..<end])
      }
      if leaf.maximumRepetitionLevel > 0 { repetitions.append(contentsOf: newRepetitions[start..<end]) }
      count(values: end - start, nulls: end - start - present, rows: rows)
      let taken = firstValue..<firstValue + present
      if input.isStored(values) {
        try appendStored(taken, of: values)
      } else {
        try input.take(taken, of: values)
        try appendStored(0..<present, of: input.stored)
      }
      if isPageFull { try cutPage() }
      start = end
      firstValue += present
    }
  }

  private func nullIsRequired() -> HeadraceError {
    HeadraceError(
      .user, "PARQUET_VALUE", "a null where the schema requires a value", place: "column \(leaf.name)",
      remedy: "declare the column nullable")
  }

  /// From a count to a level for each value, once they differ.
  private func writeOutLevels() {
    guard definitions.count < pageValueCount else { return }
    let present = UInt8(truncatingIfNeeded: leaf.maximumDefinitionLevel)
    definitions.append(contentsOf: repeatElement(present, count: pageValueCount - definitions.count))
  }

  private func count(values: Int, nulls: Int, rows: Int) {
    pageValueCount += values
    pageNullCount += nulls
    pageRowCount += rows
  }

  private func appendStored(_ rows: Range<Int>, of values: borrowing Column) throws(HeadraceError) {
    guard !rows.isEmpty else { return }
    try input.check(rows, of: values)
    pageBounds.include(rows, of: values, isSignedBytes: isSignedBytes)
    if choice == nil { decide(rows, values) }
    guard isInDictionary, let dictionary else {
      hashes?.append(rows, of: values, leaf)
      return direct.append(rows, of: values)
    }
    let room = unsafe indexes.room(4 * rows.count).assumingMemoryBound(to: UInt32.self)
    unsafe dictionary.number(rows, of: values, into: room)
    indexes.count += 4 * rows.count
    guard dictionary.plainBytes > configuration.dictionaryBytes else { return }
    // What the dictionary holds stays; the next page goes on without it.
    try cutPage()
    isInDictionary = false
  }

  private func decide(_ rows: Range<Int>, _ values: borrowing Column) {
    let sample = rows.prefix(EncodingChoice.sampleCount)
    var distinct: Int?
    if let dictionary {
      let room = unsafe indexes.room(4 * sample.count).assumingMemoryBound(to: UInt32.self)
      unsafe dictionary.number(sample, of: values, into: room)
      distinct = dictionary.count
      dictionary.removeAll()
    }
    let choice = EncodingChoice.make(values, rows: sample, distinct: distinct, leaf: leaf, trial: trial)
    isInDictionary = choice.usesDictionary
    self.choice = choice
  }
}

// MARK: Pages

extension ChunkWriter {
  private var isPageFull: Bool {
    pageRowCount >= configuration.pageRows || openPageBytes >= configuration.pageBytes
      || definitions.count >= configuration.pageBytes
  }

  /// Ends the row group: the open page is finished.
  func finishPages() throws(HeadraceError) { try cutPage() }

  private func cutPage() throws(HeadraceError) {
    guard pageValueCount > 0 else { return }
    let offset = data.count
    let bitWidth = dictionary.map { LevelDecoder.bitWidth(maximum: max($0.count - 1, 0)) } ?? 0
    let encoding = isInDictionary ? ParquetEncoding.rleDictionary : choice?.direct ?? .plain
    let levels = PageEncoder.Levels(
      definitions: definitions, repetitions: repetitions, valueCount: pageValueCount, nullCount: pageNullCount,
      rowCount: pageRowCount)
    let values: PageEncoder.Values =
      isInDictionary ? .indexes(indexes, bitWidth: bitWidth) : .direct(direct, encoding)
    uncompressedBytes += try pageEncoder.append(levels, values, to: data)
    pages.append(
      PageRecord(
        offset: offset, sizeBytes: data.count - offset, firstRow: rowCount, valueCount: pageValueCount,
        nullCount: pageNullCount, bounds: pageBounds, encoding: encoding))
    rowCount += pageRowCount
    valueCount += pageValueCount
    pageValueCount = 0
    pageNullCount = 0
    pageRowCount = 0
    pageBounds = ValueBounds()
    definitions.removeAll(keepingCapacity: true)
    repetitions.removeAll(keepingCapacity: true)
    indexes.removeAll()
    direct.removeAll()
  }

  /// Appends the dictionary page, which comes in front of the data; nothing if no page needs it.
  ///
  /// - Returns: its bytes before compression, with the header.
  func appendDictionaryPage(to output: PageBuffer) throws(HeadraceError) -> Int {
    guard let dictionary, pages.contains(where: { $0.encoding == .rleDictionary }) else { return 0 }
    let values = dictionary.values(leaf.storedColumnType)
    hashes?.append(0..<values.count, of: values, leaf)
    return try pageEncoder.appendDictionary(values, to: output)
  }

  /// Of the whole chunk.
  var bounds: ValueBounds {
    var bounds = ValueBounds()
    for page in pages {
      bounds.include(page.bounds, storage: leaf.storedColumnType.storage, isSignedBytes: isSignedBytes)
    }
    return bounds
  }

  var nullCount: Int { pages.reduce(0) { $0 + $1.nullCount } }
}
