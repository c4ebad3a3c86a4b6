internal import Columns
internal import Core
internal import Glibc
internal import Parquet

enum Copying {
  static func copyBatches(_ arguments: Arguments) throws(HeadraceError) {
    let source = try ParquetFileSource(path: arguments.words[1])
    let file = try ParquetFile(source, place: arguments.words[1])
    var reading = ParquetReaderConfiguration()
    reading.batchRows = arguments.number("--batch-rows") ?? reading.batchRows
    let names = arguments.list("--columns") ?? file.schema.leaves.map(\.name)
    let reader = try ParquetReader(file, source: source, columns: names, configuration: reading)
    let schema = try ParquetSchema(
      names.compactMap { file.schema.leaf($0) }.map { field(of: $0, name: $0.name) })
    let output = try OutputFile(arguments.words[2])
    var configuration = arguments.configuration
    configuration.keyValueMetadata = [("copied", "yes")]
    let writer = try ParquetWriter(schema: schema, configuration: configuration)
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) {
      try writer.append(batch)
      try output.write(writer)
    }
    try writer.finish()
    try output.write(writer)
  }

  static func copyRows(_ arguments: Arguments) throws(HeadraceError) {
    let source = try ParquetFileSource(path: arguments.words[1])
    let file = try ParquetFile(source, place: arguments.words[1])
    let reader = try ParquetRowReader(file, source: source)
    let schema = try ParquetSchema(file.schema.fields.map { field(of: $0) })
    let output = try OutputFile(arguments.words[2])
    let writer = try ParquetWriter(schema: schema, configuration: arguments.configuration)
    while true {
      let rows = try reader.next(maximumRows: arguments.number("--batch-rows") ?? 1_000)
      guard !rows.isEmpty else { break }
      try writer.append(rows: rows)
      try output.write(writer)
    }
    try writer.finish()
    try output.write(writer)
  }

  /// The leaf as Headrace writes its type.
  private static func field(of leaf: ParquetLeaf, name: String) -> ParquetField {
    let isNullable = leaf.maximumDefinitionLevel > 0
    if leaf.isCopied {
      return ParquetField(
        name: name, repetition: isNullable ? .optional : .required,
        content: .leaf(leaf.physicalType, length: leaf.length), logicalType: leaf.logicalType)
    }
    return .column(name, leaf.columnType ?? .bytes, isNullable: isNullable, decimalPrecision: leaf.decimalPrecision)
  }

  private static func field(of field: ParquetField) -> ParquetField {
    var copy = field
    copy.fieldID = nil
    switch field.content {
    case .group(let children): copy.content = .group(children.map { Self.field(of: $0) })
    case .leaf(let type, let length):
      let single = ParquetField(
        name: field.name, repetition: .required, content: .leaf(type, length: length), logicalType: field.logicalType)
      guard let leaf = try? ParquetSchema([single]).leaves.first else { return field }
      let written = Self.field(of: leaf, name: field.name)
      copy.content = written.content
      copy.logicalType = written.logicalType
    }
    return copy
  }
}

extension ParquetLeaf {
  /// Stored and meant alike: written as it was.
  fileprivate var isCopied: Bool {
    switch (physicalType, logicalType) {
    case (.int64, .timestamp(.microseconds, isUTC: _)), (.int32, .integer),
      (.int64, .integer(bits: 64, isSigned: true)),
      (.fixedLengthByteArray, nil), (.float, nil), (.int32, nil):
      true
    case (.int32, .decimal), (.int64, .decimal), (.fixedLengthByteArray, .decimal): true
    default: false
    }
  }

  fileprivate var decimalPrecision: Int {
    switch logicalType {
    case .decimal(let precision, _): precision
    case .integer: 20
    default: 38
    }
  }
}

/// The file that a writer's output goes to, piece by piece.
struct OutputFile: ~Copyable {
  private let descriptor: CInt
  private let path: String

  init(_ path: String) throws(HeadraceError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw HeadraceError(.external, "OPEN", "cannot be written", place: path) }
  }

  deinit { close(descriptor) }

  func write(_ writer: ParquetWriter) throws(HeadraceError) {
    try unsafe writer.drain { (bytes) throws(HeadraceError) in
      var done = 0
      while done < bytes.count {
        let count = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
        guard count > 0 else { throw HeadraceError(.external, "WRITE", "cannot be written", place: path) }
        done += count
      }
    }
  }
}
