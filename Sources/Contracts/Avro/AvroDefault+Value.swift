internal import Core
internal import Columns

extension AvroDefault {
  /// The value of a column that a field's default stands for; nil when it stands for none.
  func value(_ json: JSONDocument, _ encoding: FieldEncoding, _ schema: AvroSchema) -> Value? {
    switch (encoding, json.content) {
    case (_, .null): return .null
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.integer(_, let factor, let kind), .number):
      guard let number = json.integer else { return nil }
      let (value, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow else { return nil }
      return kind == .timestamp ? .timestamp(value) : kind == .date ? .date(value) : .integer(value)
    case (.double, .number(let text)): return Double(text).map { .double($0) }
    case (.single, .number(let text)): return Float(text).map { .double(Double($0)) }
    case (.string, .string(let text)), (.uuid, .string(let text)), (.enumeration, .string(let text)):
      return .string(text)
    case (.bytes, .string(let text)), (.fixed, .string(let text)): return Self.bytes(text).map { .bytes($0) }
    case (.fixedUUID, .string(let text)):
      return Self.bytes(text).map { .string(UUIDText.text(of: $0.span)) }
    case (.decimal(let precision, let scale, _), .string(let text)):
      guard let bytes = Self.bytes(text), let unscaled = DecimalBytes.unscaled(bytes.span, precision: precision) else {
        return nil
      }
      return .decimal(unscaled: unscaled, scale: scale)
    case (.document(let id), _):
      var text: [UInt8] = []
      guard CanonicalJSON(schema, isDefault: true).write(json, id, to: &text) == nil else { return nil }
      return .string(String(decoding: text, as: UTF8.self))
    default: return nil
    }
  }
}
