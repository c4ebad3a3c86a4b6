internal import Codecs
internal import Columns
internal import Core

/// Encodes, compresses and frames pages of one leaf.
final class PageEncoder {
  struct Levels {
    /// Empty: all values are there.
    var definitions: [UInt8]
    var repetitions: [UInt8]
    var valueCount: Int
    var nullCount: Int
    var rowCount: Int
  }

  enum Values {
    /// Numbers of 4 bytes.
    case indexes(PageBuffer, bitWidth: Int)
    /// As they are stored, without nulls.
    case direct(Column, ParquetEncoding)
  }

  private let leaf: ParquetLeaf
  private let codec: ParquetCodec
  private let version: ParquetWriterConfiguration.PageVersion
  private let writesChecksums: Bool
  private let compressor: BlockCompressor
  private let page = PageBuffer()
  private let compressed = PageBuffer()
  private let numbers = PageBuffer()
  private var header = CompactWriter()

  init(_ leaf: ParquetLeaf, _ configuration: ParquetWriterConfiguration, compressor: BlockCompressor) {
    self.leaf = leaf
    codec = configuration.codec
    version = configuration.pageVersion
    writesChecksums = configuration.writesChecksums
    self.compressor = compressor
  }

  /// - Returns: the page's size before compression, with its header.
  func append(_ levels: Levels, _ values: Values, to output: PageBuffer) throws(HeadraceError) -> Int {
    var description = PageHeader()
    description.kind = version == .v1 ? .data : .dataV2
    description.valueCount = levels.valueCount
    description.nullCount = levels.nullCount
    description.rowCount = levels.rowCount
    page.removeAll()
    let repetitionBytes = appendLevels(
      levels.repetitions, maximum: leaf.maximumRepetitionLevel, count: levels.valueCount)
    description.repetitionBytes = repetitionBytes
    description.definitionBytes = appendLevels(
      levels.definitions, maximum: leaf.maximumDefinitionLevel, count: levels.valueCount)
    let levelBytes = version == .v1 ? 0 : page.count
    switch values {
    case .indexes(let indexes, let bitWidth):
      description.encoding = ParquetEncoding.rleDictionary.rawValue
      page.append([UInt8(truncatingIfNeeded: bitWidth)])
      unsafe HybridEncoder.append(
        indexes.base.assumingMemoryBound(to: UInt32.self), count: indexes.count / 4, bitWidth: bitWidth, to: page)
    case .direct(let column, let encoding):
      description.encoding = encoding.rawValue
      DirectEncoder.append(0..<column.count, of: column, leaf, encoding, to: page)
    }
    return try frame(&description, levelBytes: levelBytes, to: output)
  }

  func appendDictionary(_ values: borrowing Column, to output: PageBuffer) throws(HeadraceError) -> Int {
    var description = PageHeader()
    description.kind = .dictionary
    description.valueCount = values.count
    description.encoding = ParquetEncoding.plain.rawValue
    page.removeAll()
    DirectEncoder.append(0..<values.count, of: values, leaf, .plain, to: page)
    return try frame(&description, levelBytes: 0, to: output)
  }

  /// - Returns: how many bytes the levels take.
  private func appendLevels(_ levels: [UInt8], maximum: Int, count: Int) -> Int {
    guard maximum > 0 else { return 0 }
    let bitWidth = LevelDecoder.bitWidth(maximum: maximum)
    let start = page.count
    if version == .v1 { page.append([0, 0, 0, 0]) }
    let content = page.count
    if levels.isEmpty {
      HybridEncoder.appendRun(UInt32(maximum), count: count, bitWidth: bitWidth, to: page)
    } else {
      numbers.removeAll()
      let room = unsafe numbers.room(4 * levels.count).assumingMemoryBound(to: UInt32.self)
      for index in levels.indices { unsafe room[index] = UInt32(levels[index]) }
      unsafe HybridEncoder.append(room, count: levels.count, bitWidth: bitWidth, to: page)
    }
    if version == .v1 {
      let length = UInt32(truncatingIfNeeded: page.count - content)
      unsafe page.base.storeBytes(of: length.littleEndian, toByteOffset: start, as: UInt32.self)
    }
    return page.count - content
  }

  private func frame(
    _ description: inout PageHeader, levelBytes: Int, to output: PageBuffer
  ) throws(HeadraceError) -> Int {
    guard page.count < ParquetLimits.maximumPageBytes else {
      throw HeadraceError(
        .user, "PARQUET_VALUE", "a page of \(page.count) bytes", place: "column \(leaf.name)",
        remedy: "values of one row may take \(ParquetLimits.maximumPageBytes) bytes")
    }
    let body = unsafe try compress(from: levelBytes)
    let levels = unsafe UnsafeRawBufferPointer(rebasing: page.bytes[..<levelBytes])
    description.uncompressedBytes = page.count
    description.compressedBytes = levelBytes + body.count
    description.isCompressed = codec != .none
    if writesChecksums {
      description.checksum = unsafe BulkCRC32.checksum(body, extending: BulkCRC32.checksum(levels))
    }
    header.removeAll()
    description.write(to: &header)
    output.append(header.bytes)
    unsafe output.append(levels)
    unsafe output.append(body)
    return header.bytes.count + page.count
  }

  /// The page from a byte on, as it is stored.
  private func compress(from start: Int) throws(HeadraceError) -> UnsafeRawBufferPointer {
    let plain = unsafe UnsafeRawBufferPointer(rebasing: page.bytes[start...])
    guard let block = codec.block else { return unsafe plain }
    let room = unsafe compressed.replace(compressor.maximumBytes(inputBytes: plain.count, codec: block))
    do throws(CodecError) {
      let count = unsafe try compressor.compress(plain, codec: block, into: room)
      return unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
    } catch {
      throw ParquetFault.codec(error).error(at: "column \(leaf.name)")
    }
  }
}
