/// Turns Avro into JSON text, by the schema that it was written with: for readers that take both.
///
/// Numbers, text, enums, arrays, maps and records are what JSON has for them; a union is its branch, without a name
/// around it; decimals, UUIDs and bytes are as contracts take them from JSON.
package struct AvroText {
  /// What became of a record.
  package enum Outcome: Sendable, Equatable {
    case written
    /// It is no record of the schema.
    case broken
    /// Its schema is not here yet: ask again.
    case unavailable
  }

  private let format: PayloadFormat
  private let schema: AvroSchema?
  private let schemas: any WriterSchemas

  /// - Parameters:
  ///   - format: how records are framed; of `json` records are copied.
  ///   - schema: of plain Avro.
  ///   - schemas: by id, of Confluent's framing.
  package init(_ format: PayloadFormat, schema: AvroSchema?, schemas: any WriterSchemas) {
    self.format = format
    self.schema = schema
    self.schemas = schemas
  }

  /// Appends the text of one record; nothing when it is not `.written`.
  package func append(_ record: RawSpan, to text: inout [UInt8]) -> Outcome {
    unsafe record.withUnsafeBytes { bytes in
      let elements = unsafe bytes.bindMemory(to: UInt8.self)
      return append(unsafe Span(_unsafeElements: elements), to: &text)
    }
  }

  private func append(_ record: Span<UInt8>, to text: inout [UInt8]) -> Outcome {
    switch format {
    case .json:
      unsafe record.withUnsafeBufferPointer { unsafe text.append(contentsOf: $0) }
      return .written
    case .avro:
      guard let schema else { return .broken }
      return append(record, 0..<record.count, schema, to: &text)
    case .avroConfluent:
      guard record.count >= Self.frameBytes, record[0] == 0 else { return .broken }
      let id = (1..<Self.frameBytes).reduce(UInt32(0)) { $0 << 8 | UInt32(record[$1]) }
      switch schemas.schema(id: Int32(bitPattern: id)) {
      case .found(let schema): return append(record, Self.frameBytes..<record.count, schema, to: &text)
      case .unknown: return .broken
      case .unavailable: return .unavailable
      }
    }
  }

  /// A zero byte and the schema's id.
  private static let frameBytes = 5

  private func append(
    _ record: Span<UInt8>, _ range: Range<Int>, _ schema: AvroSchema, to text: inout [UInt8]
  ) -> Outcome {
    let start = text.count
    var cursor = AvroCursor(record, range)
    do throws(AvroFailure) {
      let document = AvroDocument(writer: schema, reader: schema, cell: 0, isOneSchema: true)
      try document.write(schema.root, schema.root, from: &cursor, to: &text, depth: 0)
      if cursor.isAtEnd { return .written }
    } catch {}
    text.removeLast(text.count - start)
    return .broken
  }
}
