internal import Columns
internal import Core
internal import Delta

/// Rows as JSON objects: integers for dates (days) and times (microseconds), hexadecimal text for bytes, text for
/// decimals and for numbers that JSON lacks.
enum JSONRow {
  static func append(_ line: String, _ schema: DeltaSchema, to batch: inout ColumnBatch) throws(HeadraceError) {
    guard let document = try? JSONDocument(Array(line.utf8), depthMax: 4) else {
      throw HeadraceError(.user, "ROW_INVALID", "a row is no JSON: \(line.prefix(100))")
    }
    for index in schema.fields.indices {
      let field = document[schema.fields[index].name]
      guard let value = value(field, batch.columns[index].type), batch.columns[index].append(value) else {
        throw HeadraceError(
          .user, "ROW_INVALID", "\(schema.fields[index].name) is not of its type: \(line.prefix(100))")
      }
    }
    batch.rowCount += 1
  }

  private static func value(_ document: JSONDocument?, _ type: ColumnType) -> Value? {
    guard let document, !document.isNull else { return .null }
    switch type {
    case .boolean: return document.boolean.map { .boolean($0) }
    case .integer: return document.integer.map { .integer($0) }
    case .timestamp: return document.integer.map { .timestamp($0) }
    case .date: return document.integer.map { .date($0) }
    case .double:
      guard case .number(let text) = document.content else {
        return document.string.flatMap(Double.init).map { .double($0) }
      }
      return Double(text).map { .double($0) }
    case .string: return document.string.map { .string($0) }
    case .bytes: return document.string.flatMap(bytes).map { .bytes($0) }
    case .decimal(let scale):
      return document.string.flatMap { JSONNumber.decimal($0, scale: scale) }.map {
        .decimal(unscaled: $0, scale: scale)
      }
    }
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text[...]
    while !rest.isEmpty {
      guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  static func text(_ batch: borrowing ColumnBatch, _ row: Int, _ fields: [DeltaField]) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      for index in fields.indices {
        writer.key(fields[index].name)
        write(batch.columns[index].value(row), to: &writer)
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static func write(_ value: Value, to writer: inout JSONWriter) {
    switch value {
    case .null, .list: writer.null()
    case .boolean(let value): writer.boolean(value)
    case .integer(let value), .timestamp(let value), .date(let value): writer.number(value)
    case .double(let value): value.isFinite ? writer.raw("\(value)".utf8) : writer.string("\(value)")
    case .string(let value): writer.string(value)
    case .bytes(let value): writer.string(value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    case .decimal: writer.string(PartitionValue.text(value) ?? "")
    }
  }

  /// `column,op,value`.
  static func condition(_ parts: [String], _ schema: DeltaSchema) throws(HeadraceError) -> ColumnCondition {
    let comparisons: [String: ColumnCondition.Comparison] = [
      "=": .equal, "<": .less, "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual, "null": .isNull,
    ]
    guard let type = schema.field(parts[0])?.type.columnType, let comparison = comparisons[parts[1]],
      let value = PartitionValue.value(parts.count > 2 ? parts[2] : nil, type)
    else { throw HeadraceError(.user, "USAGE", "this is no condition: \(parts)") }
    return ColumnCondition(parts[0], comparison, value)
  }
}
