internal import Codecs
internal import Columns
internal import Core

/// Finds, checks and expands the pages of one leaf, one after the other.
final class PageReader {
  let configuration: ParquetReaderConfiguration
  private let file: ParquetFile
  private let leaf: ParquetLeaf
  private let conversion: ValueConversion
  private let decompressor: BlockDecompressor
  private let window: ChunkWindow
  private let expanded = PageBuffer()

  private var rowGroups: ArraySlice<Int>
  private var rowGroup = 0
  private var codec = ParquetCodec.none
  private var offset = 0
  private var pageOffset = 0
  private var pageIndex = -1
  /// Values of the open chunk that no page has brought yet.
  private var chunkValuesLeft = 0
  private var dictionary: ChunkDictionary?

  /// Values and nulls of the current page that were not taken yet.
  var valuesLeft = 0
  var definitions = LevelDecoder.absent
  var repetitions = LevelDecoder.absent
  private(set) var values: (any ValueDecoder)?
  /// Dictionaries are converted once, and not each of their values that a page names.
  private(set) var valuesAreConverted = false

  init(
    _ file: ParquetFile, _ leaf: ParquetLeaf, source: any ParquetSource, rowGroups: [Int],
    decompressor: BlockDecompressor, configuration: ParquetReaderConfiguration
  ) {
    self.file = file
    self.leaf = leaf
    self.rowGroups = rowGroups[...]
    self.decompressor = decompressor
    self.configuration = configuration
    conversion = ValueConversion(leaf)
    window = ChunkWindow(source)
  }

  func error(_ fault: ParquetFault) -> HeadraceError {
    fault.error(
      at: "\(file.place): row group \(rowGroup), column \(leaf.name), page \(pageIndex) at byte \(pageOffset)")
  }

  /// Appends values of the current page, and checks what its encoding does not say.
  func appendValues(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard values != nil else { throw .corrupt("\(count) values of a page without any") }
    let first = column.count
    try values?.append(count, to: &column)
    guard leaf.length > 0, !valuesAreConverted else { return }
    for row in first..<column.count where column.text.range(row).count != leaf.length {
      throw .corrupt("a value of \(column.text.range(row).count) bytes where all have \(leaf.length)")
    }
  }

  /// Moves to the next page with values where the current one has none left.
  ///
  /// - Returns: false at the end of the last row group.
  func hasValues() throws(HeadraceError) -> Bool {
    while valuesLeft == 0 {
      if chunkValuesLeft == 0 {
        guard let next = rowGroups.popFirst() else { return false }
        try open(next)
      } else {
        try nextPage()
      }
    }
    return true
  }

  private func open(_ index: Int) throws(HeadraceError) {
    rowGroup = index
    let chunk = file.rowGroups[index].columns[leaf.index]
    pageIndex = -1
    dictionary = nil
    chunkValuesLeft = chunk.valueCount
    codec = try chunk.readableCodec(at: "\(file.place): row group \(index), column \(leaf.name)")
    window.open(chunk.byteRange)
    offset = chunk.byteRange.lowerBound
    pageOffset = offset
  }

  private func nextPage() throws(HeadraceError) {
    pageIndex += 1
    pageOffset = offset
    let header: PageHeader
    let body: UnsafeRawBufferPointer
    (header, unsafe body) = unsafe try locate()
    do throws(ParquetFault) {
      if configuration.verifiesChecksums, let checksum = header.checksum {
        let found = unsafe BulkCRC32.checksum(body)
        guard found == checksum else { throw .corrupt("a checksum of \(found) where the page says \(checksum)") }
      }
      switch header.kind {
      case .dictionary: unsafe try readDictionary(header, body)
      case .data: unsafe try readData(header, body)
      case .dataV2: unsafe try readDataV2(header, body)
      case .other: break
      }
    } catch {
      throw self.error(error)
    }
  }

  /// Reads the header at `offset`, and moves behind the page.
  private func locate() throws(HeadraceError) -> (PageHeader, UnsafeRawBufferPointer) {
    var wanted = 64
    while true {
      guard offset < window.range.upperBound else {
        throw error(.corrupt("the chunk ends with \(chunkValuesLeft) values missing"))
      }
      let bytes = unsafe try window.bytes(at: offset, atLeast: wanted)
      do throws(ParquetFault) {
        let (header, headerBytes) = unsafe try Self.header(in: bytes)
        let left = window.range.upperBound - offset - headerBytes
        guard header.compressedBytes <= left else {
          throw .corrupt("a page of \(header.compressedBytes) bytes where \(left) are left of the chunk")
        }
        let whole = headerBytes + header.compressedBytes
        if bytes.count < whole {
          wanted = whole
          continue
        }
        offset += whole
        return unsafe (header, UnsafeRawBufferPointer(rebasing: bytes[headerBytes..<whole]))
      } catch {
        let isShort = error == .endOfMetadata && bytes.count < window.range.upperBound - offset
        guard isShort, bytes.count < ParquetLimits.maximumPageHeaderBytes else { throw self.error(error) }
        wanted = bytes.count * 2
      }
    }
  }

  private static func header(in bytes: UnsafeRawBufferPointer) throws(ParquetFault) -> (PageHeader, Int) {
    var reader = unsafe CompactReader(RawSpan(_unsafeBytes: bytes))
    let header = try PageHeader(&reader)
    return (header, reader.position)
  }
}

// MARK: Bodies

extension PageReader {
  private func readDictionary(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetFault) {
    guard dictionary == nil, leaf.physicalType != .boolean else { throw .corrupt("a dictionary that does not belong") }
    switch ParquetEncoding(rawValue: header.encoding) {
    case .plain, .plainDictionary: break
    default: throw .unsupported("a dictionary of encoding \(header.encoding)")
    }
    let cursor = try unsafe expand(body, header.uncompressedBytes)
    var decoder = try Self.decoder(.plain, cursor, leaf, dictionary: nil)
    var stored = Column(leaf.storedColumnType)
    try decoder.append(header.valueCount, to: &stored)
    guard conversion != .none else {
      dictionary = ChunkDictionary(stored)
      return
    }
    guard let type = leaf.columnType else { throw .unsupported(leaf.refusedTypeName) }
    var converted = Column(type)
    try conversion.append(stored, to: &converted)
    dictionary = ChunkDictionary(converted)
  }

  private func readData(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetFault) {
    var cursor = try unsafe expand(body, header.uncompressedBytes)
    try take(header.valueCount)
    repetitions = try Self.levels(
      &cursor, header.repetitionEncoding, maximum: leaf.maximumRepetitionLevel, count: header.valueCount)
    definitions = try Self.levels(
      &cursor, header.definitionEncoding, maximum: leaf.maximumDefinitionLevel, count: header.valueCount)
    try begin(header.encoding, cursor)
  }

  private func readDataV2(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetFault) {
    let levelBytes = header.repetitionBytes + header.definitionBytes
    guard levelBytes <= body.count, levelBytes <= header.uncompressedBytes else {
      throw .corrupt("levels of \(levelBytes) bytes in a page of \(header.uncompressedBytes)")
    }
    try take(header.valueCount)
    guard let start = body.baseAddress else { throw .corrupt("an empty page") }
    var cursor = unsafe PageCursor(start, end: start + levelBytes)
    let repetition = try cursor.slice(header.repetitionBytes)
    repetitions = try Self.runs(repetition, maximum: leaf.maximumRepetitionLevel)
    definitions = try Self.runs(cursor, maximum: leaf.maximumDefinitionLevel)
    let rest = unsafe UnsafeRawBufferPointer(rebasing: body[levelBytes...])
    let values = try unsafe expand(rest, header.uncompressedBytes - levelBytes, isCompressed: header.isCompressed)
    try begin(header.encoding, values)
  }

  private func take(_ count: Int) throws(ParquetFault) {
    guard count <= chunkValuesLeft else {
      throw .corrupt("\(count) values where \(chunkValuesLeft) are left of the chunk")
    }
    chunkValuesLeft -= count
    valuesLeft = count
  }

  private func begin(_ encoding: Int32, _ cursor: PageCursor) throws(ParquetFault) {
    guard let known = ParquetEncoding(rawValue: encoding) else { throw .unsupported("encoding \(encoding)") }
    valuesAreConverted = known == .rleDictionary || known == .plainDictionary
    // A page of nulls only may leave out its values altogether, the head of their encoding included.
    values = cursor.remaining == 0 ? nil : try Self.decoder(known, cursor, leaf, dictionary: dictionary)
  }

  /// The bytes of a page as they were before compression.
  private func expand(
    _ body: UnsafeRawBufferPointer, _ count: Int, isCompressed: Bool = true
  ) throws(ParquetFault) -> PageCursor {
    guard isCompressed, let block = codec.block, count > 0 else {
      guard count == body.count || (count == 0 && codec != .none), let start = body.baseAddress else {
        throw .corrupt("a page of \(count) bytes stored in \(body.count)")
      }
      return unsafe PageCursor(start, end: start + count)
    }
    let allowed = Self.expansion.allowedBytes(inputBytes: body.count)
    guard count <= allowed else { throw .tooLarge("a page of \(body.count) bytes claims to hold \(count)") }
    let output = unsafe expanded.replace(count)
    do throws(CodecError) {
      unsafe try decompressor.decompress(body, codec: block, into: output)
    } catch {
      throw .codec(error)
    }
    return unsafe PageCursor(expanded.base, end: expanded.base + count)
  }

  private static let expansion = DecompressionLimit(
    maximumBytes: ParquetLimits.maximumPageBytes, ratioFloorBytes: 32 << 20)

  /// Levels of a page of version 1.
  private static func levels(
    _ cursor: inout PageCursor, _ encoding: Int32, maximum: Int, count: Int
  ) throws(ParquetFault) -> LevelDecoder {
    guard maximum > 0 else { return .absent }
    switch ParquetEncoding(rawValue: encoding) {
    case .rle:
      let length = try cursor.length()
      return try runs(try cursor.slice(length), maximum: maximum)
    case .bitPacked:
      let width = LevelDecoder.bitWidth(maximum: maximum)
      guard count <= cursor.remaining * 8 / width else { throw .valuesMissing(count, cursor.remaining) }
      let packed = try cursor.slice((count * width + 7) / 8)
      return .bytes(
        HybridDecoder.oldBitPacked(packed, bitWidth: width, count: count), index: 0,
        maximum: UInt8(truncatingIfNeeded: maximum))
    default: throw .unsupported("levels of encoding \(encoding)")
    }
  }

  private static func runs(_ cursor: PageCursor, maximum: Int) throws(ParquetFault) -> LevelDecoder {
    guard maximum > 0 else { return .absent }
    return .runs(
      try HybridDecoder(cursor, bitWidth: LevelDecoder.bitWidth(maximum: maximum)),
      maximum: UInt8(truncatingIfNeeded: maximum))
  }

  private static func decoder(
    _ encoding: ParquetEncoding, _ cursor: PageCursor, _ leaf: ParquetLeaf, dictionary: ChunkDictionary?
  ) throws(ParquetFault) -> any ValueDecoder {
    let isUnsigned = leaf.isUnsigned32
    switch (encoding, leaf.physicalType) {
    case (.plain, .boolean): return PlainBooleanDecoder(cursor)
    case (.plain, .int32), (.plain, .int64), (.plain, .float), (.plain, .double):
      return PlainNumberDecoder(cursor, type: leaf.physicalType, isUnsigned: isUnsigned)
    case (.plain, .byteArray): return PlainTextDecoder(cursor)
    case (.plain, .int96), (.plain, .fixedLengthByteArray):
      return PlainFixedDecoder(cursor, width: leaf.fixedWidthBytes ?? 0)
    case (.rleDictionary, _), (.plainDictionary, _):
      guard let dictionary else { throw .corrupt("a page of dictionary indexes without a dictionary") }
      return try DictionaryDecoder(cursor, dictionary: dictionary)
    case (.rle, .boolean): return try HybridBooleanDecoder(cursor)
    case (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64):
      return try DeltaBinaryDecoder(cursor, is32Bit: leaf.physicalType == .int32, isUnsigned: isUnsigned)
    case (.deltaLengthByteArray, .byteArray): return try DeltaLengthDecoder(cursor)
    case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray): return try DeltaTextDecoder(cursor)
    case (.byteStreamSplit, .boolean), (.byteStreamSplit, .byteArray), (.byteStreamSplit, .int96): break
    case (.byteStreamSplit, let type):
      return try ByteStreamSplitDecoder(
        cursor, type: type, width: leaf.fixedWidthBytes ?? 0, isUnsigned: isUnsigned)
    default: break
    }
    throw .unsupported("encoding \(encoding) for \(leaf.physicalType)")
  }
}

extension ParquetCodec {
  /// nil: pages are stored as they are.
  var block: BlockCodec? {
    switch self {
    case .none: nil
    case .snappy: .snappy
    case .gzip: .gzip
    case .zstd: .zstd
    case .lz4Raw: .lz4
    }
  }
}
