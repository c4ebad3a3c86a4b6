/// `FileMetaData` of parquet.thrift: what stands in a file's footer.
struct FileMetadata: Sendable {
  var schema: [SchemaElement] = []
  var rowCount = 0
  var rowGroups: [RowGroupMetadata] = []
  var keyValues: [KeyValue] = []
  var createdBy: String?
  /// How many columns have the order of their type; without one, bounds of strings mean nothing.
  var columnOrderCount = 0
  var isEncrypted = false

  struct KeyValue: Sendable {
    var key: String
    var value: String?
  }

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 2: try readSchema(&reader, field.type)
      case 3: rowCount = try reader.size(field.type)
      case 4:
        let (count, _) = try reader.list(field.type)
        guard count <= ParquetLimits.maximumRowGroups else { throw .tooLarge("\(count) row groups") }
        for _ in 0..<count { rowGroups.append(try RowGroupMetadata(&reader)) }
      case 5: try readKeyValues(&reader, field.type)
      case 6: createdBy = try reader.string(field.type)
      case 7:
        let (count, _) = try reader.list(field.type)
        for _ in 0..<count { try readColumnOrder(&reader) }
      case 8:
        isEncrypted = true
        try reader.skip(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  private mutating func readSchema(_ reader: inout CompactReader, _ type: CompactType) throws(ParquetFault) {
    let (count, _) = try reader.list(type)
    guard count <= ParquetSchema.maximumFields else { throw .tooLarge("\(count) fields") }
    for _ in 0..<count { schema.append(try SchemaElement(&reader)) }
  }

  private mutating func readKeyValues(_ reader: inout CompactReader, _ type: CompactType) throws(ParquetFault) {
    let (count, _) = try reader.list(type)
    for _ in 0..<count {
      var pair = KeyValue(key: "")
      var last: Int16 = 0
      while let field = try reader.nextField(after: &last) {
        switch field.id {
        case 1: pair.key = try reader.string(field.type)
        case 2: pair.value = try reader.string(field.type)
        default: try reader.skip(field.type)
        }
      }
      keyValues.append(pair)
    }
  }

  private mutating func readColumnOrder(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      if field.id == 1 { columnOrderCount += 1 }
      try reader.skip(field.type)
    }
  }

  func encoded() -> [UInt8] {
    var writer = CompactWriter()
    writer.integer32(1, 2)
    writer.list(2, of: .structure, count: schema.count)
    for element in schema { writer.element { element.write(to: &$0) } }
    writer.integer64(3, rowCount)
    writer.list(4, of: .structure, count: rowGroups.count)
    for group in rowGroups { writer.element { group.write(to: &$0) } }
    if !keyValues.isEmpty {
      writer.list(5, of: .structure, count: keyValues.count)
      for pair in keyValues {
        writer.element { writer in
          writer.string(1, pair.key)
          if let value = pair.value { writer.string(2, value) }
        }
      }
    }
    if let createdBy { writer.string(6, createdBy) }
    writer.list(7, of: .structure, count: columnOrderCount)
    for _ in 0..<columnOrderCount { writer.element { $0.structure(1) { _ in } } }
    writer.end()
    return writer.bytes
  }
}

/// `RowGroup` of parquet.thrift.
struct RowGroupMetadata: Sendable {
  var columns: [ColumnMetadata] = []
  var uncompressedBytes = 0
  var rowCount = 0
  var fileOffset: Int?
  var compressedBytes: Int?
  var ordinal: Int16?

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1:
        let (count, _) = try reader.list(field.type)
        guard count <= ParquetSchema.maximumFields else { throw .tooLarge("\(count) columns in a row group") }
        for _ in 0..<count { columns.append(try ColumnMetadata(&reader)) }
      case 2: uncompressedBytes = try reader.size(field.type)
      case 3: rowCount = try reader.size(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  func write(to writer: inout CompactWriter) {
    writer.list(1, of: .structure, count: columns.count)
    for column in columns { writer.element { column.write(to: &$0) } }
    writer.integer64(2, uncompressedBytes)
    writer.integer64(3, rowCount)
    if let fileOffset { writer.integer64(5, fileOffset) }
    if let compressedBytes { writer.integer64(6, compressedBytes) }
    if let ordinal { writer.integer16(7, ordinal) }
  }
}
