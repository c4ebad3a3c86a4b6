internal import Core

/// One text for each value of an array, a map or a union: what a column holds of them.
///
/// No white space; fields in the schema's order, keys of maps ordered by their bytes; integers as digits,
/// floating-point numbers as the shortest text that reads back (`1.0`), decimals with all digits of their scale; bytes
/// as characters U+0000 to U+00FF; unions as the plain value of their branch. JSON and Avro's binary form of a value
/// give the same text.
struct CanonicalJSON {
  let schema: AvroSchema

  /// Whether values are defaults of a schema, where decimals and binary UUIDs are written as their bytes.
  let isDefault: Bool

  init(_ schema: AvroSchema, isDefault: Bool = false) {
    self.schema = schema
    self.isDefault = isDefault
  }

  /// Defaults of records inside of arrays can make a text much longer than what it was made from.
  static let textBytesMax = 64 << 20
  /// How many arrays, maps and records may turn out to be of another branch: such branches inside of branches multiply.
  private static let wrongContainersMax = 64

  /// Appends the canonical text of a JSON value of type `id`.
  ///
  /// - Returns: what is wrong; the text is then incomplete.
  func write(_ value: JSONDocument, _ id: AvroSchema.TypeID, to text: inout [UInt8]) -> FaultCode? {
    var wrongContainers = 0
    return write(value, id, to: &text, depth: 0, wrongContainers: &wrongContainers)
  }

  private func write(
    _ value: JSONDocument, _ id: AvroSchema.TypeID, to text: inout [UInt8], depth: Int, wrongContainers: inout Int
  ) -> FaultCode? {
    guard depth < AvroSchema.depthMax else { return .tooDeep }
    guard text.count <= Self.textBytesMax else { return .tooLarge }
    switch (schema.types[id].shape, value.content) {
    case (.null, .null): text += "null".utf8
    case (.array(let item), .array(let values)):
      text.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        if let fault = write(value, item, to: &text, depth: depth + 1, wrongContainers: &wrongContainers) {
          return fault
        }
      }
      text.append(UInt8(ascii: "]"))
    case (.map(let item), .object(let members)):
      var entries: [([UInt8], [UInt8])] = []
      for member in members {
        var entry: [UInt8] = []
        if let fault = write(member.value, item, to: &entry, depth: depth + 1, wrongContainers: &wrongContainers) {
          return fault
        }
        entries.append((Array(member.name.utf8), entry))
      }
      Self.append(&entries, to: &text)
    case (.record(let fields), .object):
      var separator = UInt8(ascii: "{")
      for field in fields {
        text.append(separator)
        separator = UInt8(ascii: ",")
        JSONText.appendString(field.name, to: &text)
        text.append(UInt8(ascii: ":"))
        if let inner = value[field.name] {
          let fault = write(inner, field.type, to: &text, depth: depth + 1, wrongContainers: &wrongContainers)
          if let fault { return fault }
        } else if let fault = writeMissing(field, to: &text, depth: depth + 1, wrongContainers: &wrongContainers) {
          return fault
        }
      }
      if fields.isEmpty { text.append(UInt8(ascii: "{")) }
      text.append(UInt8(ascii: "}"))
    case (.union(let branches), _):
      return union(value, branches, to: &text, depth: depth, wrongContainers: &wrongContainers)
    case (_, .null): return .nullValue
    default:
      guard let encoding = FieldEncoding(schema, id) else { return .wrongType }
      let scalar = JSONScalar(encoding: encoding, allowsNaN: false)
      guard isDefault else { return scalar.write(value, to: &text) }
      guard let cell = AvroDefault(schema.types).value(value, encoding, schema).flatMap(JSONScalar.Cell.init) else {
        return .wrongType
      }
      scalar.write(cell, to: &text)
    }
    return nil
  }

  /// What a field says that is not there.
  func writeMissing(_ field: AvroField, to text: inout [UInt8]) -> FaultCode? {
    var wrongContainers = 0
    return writeMissing(field, to: &text, depth: 0, wrongContainers: &wrongContainers)
  }

  private func writeMissing(
    _ field: AvroField, to text: inout [UInt8], depth: Int, wrongContainers: inout Int
  ) -> FaultCode? {
    guard let value = field.defaultValue else {
      guard schema.allowsNull(field.type) else { return .missingField }
      text += "null".utf8
      return nil
    }
    let writer = CanonicalJSON(schema, isDefault: true)
    return writer.write(value, field.type, to: &text, depth: depth, wrongContainers: &wrongContainers)
  }

  /// The first branch that takes the value.
  private func union(
    _ value: JSONDocument, _ branches: [AvroSchema.TypeID], to text: inout [UInt8], depth: Int,
    wrongContainers: inout Int
  ) -> FaultCode? {
    let start = text.count
    for branch in branches {
      if write(value, branch, to: &text, depth: depth + 1, wrongContainers: &wrongContainers) == nil { return nil }
      if text.count > start { wrongContainers += 1 }
      guard wrongContainers <= Self.wrongContainersMax else { return .tooDeep }
      text.removeSubrange(start...)
    }
    return .wrongType
  }

  /// Of a key that comes twice the last one counts.
  static func append(_ entries: inout [([UInt8], [UInt8])], to text: inout [UInt8]) {
    var last: [[UInt8]: Int] = [:]
    for (index, entry) in entries.enumerated() { last[entry.0] = index }
    let kept = last.values.sorted { entries[$0].0.lexicographicallyPrecedes(entries[$1].0) }
    text.append(UInt8(ascii: "{"))
    for (position, index) in kept.enumerated() {
      if position > 0 { text.append(UInt8(ascii: ",")) }
      let (key, value) = entries[index]
      JSONText.appendString(key.span, to: &text)
      text.append(UInt8(ascii: ":"))
      text += value
    }
    text.append(UInt8(ascii: "}"))
  }
}
