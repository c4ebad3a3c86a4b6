/// `ColumnChunk` with its `ColumnMetaData`, as parquet.thrift has them.
struct ColumnMetadata: Sendable {
  var filePath: String?
  var type: Int32 = -1
  var encodings: [Int32] = []
  var path: [String] = []
  var codec: Int32 = 0
  var valueCount = 0
  var uncompressedBytes = 0
  var compressedBytes = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var statistics: StoredStatistics?
  var pageEncodings: [PageEncoding] = []
  var bloomFilterOffset: Int?
  var bloomFilterBytes: Int?
  var offsetIndexOffset: Int?
  var offsetIndexBytes: Int?
  var columnIndexOffset: Int?
  var columnIndexBytes: Int?
  var hasMetadata = false
  var isEncrypted = false

  /// How many pages of a kind have an encoding.
  struct PageEncoding: Sendable {
    var pageType: Int32
    var encoding: Int32
    var count: Int32
  }

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: filePath = try reader.string(field.type)
      case 3 where field.type == .structure: try readMetadata(&reader)
      case 4: offsetIndexOffset = try reader.size(field.type)
      case 5: offsetIndexBytes = try reader.size(field.type)
      case 6: columnIndexOffset = try reader.size(field.type)
      case 7: columnIndexBytes = try reader.size(field.type)
      case 8, 9:
        isEncrypted = true
        try reader.skip(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  private mutating func readMetadata(_ reader: inout CompactReader) throws(ParquetFault) {
    hasMetadata = true
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: type = try reader.integer32(field.type)
      case 2:
        let (count, element) = try reader.list(field.type)
        for _ in 0..<count { encodings.append(try reader.integer32(element)) }
      case 3:
        let (count, element) = try reader.list(field.type)
        for _ in 0..<count { path.append(try reader.string(element)) }
      case 4: codec = try reader.integer32(field.type)
      case 5: valueCount = try reader.size(field.type)
      case 6: uncompressedBytes = try reader.size(field.type)
      case 7: compressedBytes = try reader.size(field.type)
      case 9: dataPageOffset = try reader.size(field.type)
      case 11: dictionaryPageOffset = try reader.size(field.type)
      case 12 where field.type == .structure: statistics = try StoredStatistics(&reader)
      case 14: bloomFilterOffset = try reader.size(field.type)
      case 15: bloomFilterBytes = try reader.size(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  func write(to writer: inout CompactWriter) {
    writer.integer64(2, 0)
    writer.structure(3) { writeMetadata(to: &$0) }
    if let offsetIndexOffset { writer.integer64(4, offsetIndexOffset) }
    if let offsetIndexBytes { writer.integer32(5, Int32(clamping: offsetIndexBytes)) }
    if let columnIndexOffset { writer.integer64(6, columnIndexOffset) }
    if let columnIndexBytes { writer.integer32(7, Int32(clamping: columnIndexBytes)) }
  }

  private func writeMetadata(to writer: inout CompactWriter) {
    writer.integer32(1, type)
    writer.list(2, of: .int32, count: encodings.count)
    for encoding in encodings { writer.element(Int(encoding)) }
    writer.list(3, of: .binary, count: path.count)
    for name in path { writer.element(Array(name.utf8)) }
    writer.integer32(4, codec)
    writer.integer64(5, valueCount)
    writer.integer64(6, uncompressedBytes)
    writer.integer64(7, compressedBytes)
    writer.integer64(9, dataPageOffset)
    if let dictionaryPageOffset { writer.integer64(11, dictionaryPageOffset) }
    if let statistics { writer.structure(12) { statistics.write(to: &$0) } }
    writer.list(13, of: .structure, count: pageEncodings.count)
    for page in pageEncodings {
      writer.element { writer in
        writer.integer32(1, page.pageType)
        writer.integer32(2, page.encoding)
        writer.integer32(3, page.count)
      }
    }
    if let bloomFilterOffset { writer.integer64(14, bloomFilterOffset) }
    if let bloomFilterBytes { writer.integer32(15, Int32(clamping: bloomFilterBytes)) }
  }
}
