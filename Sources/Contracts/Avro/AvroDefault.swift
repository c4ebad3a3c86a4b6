internal import Core

/// Defaults of fields: JSON values that stand for values of a type.
struct AvroDefault {
  let types: [AvroType]
  /// Branches of unions inside of branches multiply; no default in use needs a hundredth of this.
  private var stepsLeft = 100_000

  init(_ types: [AvroType]) { self.types = types }

  /// Whether a JSON value is one of the type's. Of a union any branch will do, as from Avro 1.12 on.
  mutating func matches(_ value: JSONDocument, _ id: AvroSchema.TypeID, depth: Int = 0) -> Bool {
    stepsLeft -= 1
    guard depth < AvroSchema.depthMax, stepsLeft > 0 else { return false }
    switch (types[id].shape, value.content) {
    case (.null, .null), (.boolean, .boolean), (.string, .string): return true
    case (.int, .number): return value.integer.map { Int32(exactly: $0) != nil } ?? false
    case (.long, .number): return value.integer != nil
    case (.float, .number), (.double, .number): return true
    case (.bytes, .string(let text)): return Self.bytes(text) != nil
    case (.fixed(let size), .string(let text)): return Self.bytes(text)?.count == size
    case (.enumeration(let symbols, _), .string(let text)): return symbols.contains(text)
    case (.array(let item), .array(let values)): return values.allSatisfy { matches($0, item, depth: depth + 1) }
    case (.map(let item), .object(let members)):
      return members.allSatisfy { matches($0.value, item, depth: depth + 1) }
    case (.record(let fields), .object):
      return fields.allSatisfy { field in
        value[field.name].map { matches($0, field.type, depth: depth + 1) } ?? (field.defaultValue != nil)
      }
    case (.union(let branches), _): return branches.contains { matches(value, $0, depth: depth + 1) }
    default: return false
    }
  }

  /// Bytes as Avro writes them in JSON: one character of U+0000 to U+00FF for each; nil when it is another text.
  static func bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
