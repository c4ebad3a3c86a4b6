/// `PageHeader` of parquet.thrift.
struct PageHeader {
  enum Kind: Equatable {
    case data
    case dataV2
    case dictionary
    /// Pages of indexes and of kinds to come: passed over.
    case other(Int32)
  }

  var kind = Kind.other(-1)
  var uncompressedBytes = 0
  var compressedBytes = 0
  var checksum: UInt32?
  var valueCount = 0
  var encoding: Int32 = 0
  var definitionEncoding: Int32 = 3
  var repetitionEncoding: Int32 = 3
  /// Of version 2: the bytes of levels in front of the values, which are not compressed.
  var definitionBytes = 0
  var repetitionBytes = 0
  var nullCount = 0
  var rowCount = 0
  var isCompressed = true
  private var hasBody = false

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    var type: Int32?
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: type = try reader.integer32(field.type)
      case 2: uncompressedBytes = Int(try reader.integer32(field.type))
      case 3: compressedBytes = Int(try reader.integer32(field.type))
      case 4: checksum = UInt32(bitPattern: try reader.integer32(field.type))
      case 5 where field.type == .structure: try readData(&reader)
      case 7 where field.type == .structure: try readData(&reader)
      case 8 where field.type == .structure: try readDataV2(&reader)
      default: try reader.skip(field.type)
      }
    }
    guard let type else { throw .corrupt("a page header without a type") }
    switch type {
    case 0: kind = .data
    case 2: kind = .dictionary
    case 3: kind = .dataV2
    default: kind = .other(type)
    }
    guard uncompressedBytes >= 0, compressedBytes >= 0 else { throw .corrupt("a page of negative size") }
    if case .other = kind { return }
    guard hasBody, valueCount >= 0 else { throw .corrupt("a page header without a count of values") }
  }

  /// `DataPageHeader`, and `DictionaryPageHeader`, which begins alike.
  private mutating func readData(_ reader: inout CompactReader) throws(ParquetFault) {
    hasBody = true
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch (field.id, field.type) {
      case (1, _): valueCount = Int(try reader.integer32(field.type))
      case (2, _): encoding = try reader.integer32(field.type)
      case (3, .int32): definitionEncoding = try reader.integer32(field.type)
      case (4, .int32): repetitionEncoding = try reader.integer32(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  private mutating func readDataV2(_ reader: inout CompactReader) throws(ParquetFault) {
    hasBody = true
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: valueCount = Int(try reader.integer32(field.type))
      case 2: nullCount = Int(try reader.integer32(field.type))
      case 3: rowCount = Int(try reader.integer32(field.type))
      case 4: encoding = try reader.integer32(field.type)
      case 5: definitionBytes = Int(try reader.integer32(field.type))
      case 6: repetitionBytes = Int(try reader.integer32(field.type))
      case 7: isCompressed = try reader.boolean(field.type)
      default: try reader.skip(field.type)
      }
    }
    guard definitionBytes >= 0, repetitionBytes >= 0 else { throw .corrupt("levels of negative size") }
  }

  func write(to writer: inout CompactWriter) {
    let type: Int32 =
      switch kind {
      case .data: 0
      case .dictionary: 2
      case .dataV2: 3
      case .other(let type): type
      }
    writer.integer32(1, type)
    writer.integer32(2, Int32(clamping: uncompressedBytes))
    writer.integer32(3, Int32(clamping: compressedBytes))
    if let checksum { writer.integer32(4, Int32(bitPattern: checksum)) }
    switch kind {
    case .data:
      writer.structure(5) { writer in
        writer.integer32(1, Int32(clamping: valueCount))
        writer.integer32(2, encoding)
        writer.integer32(3, definitionEncoding)
        writer.integer32(4, repetitionEncoding)
      }
    case .dictionary:
      writer.structure(7) { writer in
        writer.integer32(1, Int32(clamping: valueCount))
        writer.integer32(2, encoding)
      }
    case .dataV2:
      writer.structure(8) { writer in
        writer.integer32(1, Int32(clamping: valueCount))
        writer.integer32(2, Int32(clamping: nullCount))
        writer.integer32(3, Int32(clamping: rowCount))
        writer.integer32(4, encoding)
        writer.integer32(5, Int32(clamping: definitionBytes))
        writer.integer32(6, Int32(clamping: repetitionBytes))
        writer.boolean(7, isCompressed)
      }
    case .other: break
    }
    writer.end()
  }
}
