internal import Core
internal import Columns

/// Reads the `constraints` of one field.
struct ConstraintsParser {
  let type: ColumnType
  let encoding: FieldEncoding
  let path: String

  private static let names = ["required", "min", "max", "enum", "pattern", "max_length", "allow_nan"]

  func constraints(_ json: JSONDocument) throws(AvroSchemaParser.Fault) -> Constraints {
    guard case .object(let members) = json.content else {
      throw .expected("an object", found: json, "\(path).constraints", remedy: #"write {"required": true}"#)
    }
    var result = Constraints()
    for member in members {
      let place = "\(path).constraints.\(member.name)"
      switch member.name {
      case "required": result.isRequired = try flag(member.value, place)
      case "allow_nan":
        try require(type == .double, member, "double and float")
        result.allowsNaN = try flag(member.value, place)
      case "min": result.minimum = try bound(member, place, isUpper: false)
      case "max": result.maximum = try bound(member, place, isUpper: true)
      case "enum": try readAllowed(member, place, &result)
      case "pattern": result.pattern = try pattern(member, place)
      case "max_length":
        try require(type.storage == .text, member, "strings and bytes")
        guard let length = member.value.integer, let count = Int(exactly: length), count >= 0 else {
          throw .expected("a length", found: member.value, place, remedy: "write 0 or more")
        }
        result.lengthMax = count
      default:
        let nearest = NearestName.of(member.name, in: Self.names)
        throw AvroSchemaParser.Fault(
          offset: member.offset,
          message:
            "\(path).constraints: found \"\(member.name)\", expected one of \(Self.names.joined(separator: ", "))",
          remedy: nearest.map { "did you mean \"\($0)\"?" } ?? "remove it")
      }
    }
    return result
  }

  private func require(
    _ isFitting: Bool, _ member: JSONDocument.Member, _ types: String
  ) throws(AvroSchemaParser.Fault) {
    guard !isFitting else { return }
    throw AvroSchemaParser.Fault(
      offset: member.offset, message: "\(path): \"\(member.name)\" is for \(types); this field is of type \(type)",
      remedy: "remove it, or change the field's type")
  }

  private func flag(_ json: JSONDocument, _ place: String) throws(AvroSchemaParser.Fault) -> Bool {
    guard let value = json.boolean else {
      throw .expected("true or false", found: json, place, remedy: "write true or false")
    }
    return value
  }

  /// In the schema's own unit: milliseconds for a timestamp-millis. Between two values of the column it is moved to the
  /// next one inside.
  private func bound(
    _ member: JSONDocument.Member, _ place: String, isUpper: Bool
  ) throws(AvroSchemaParser.Fault) -> Value {
    try require(type.isNumeric || type == .timestamp || type == .date, member, "numbers, timestamps and dates")
    let json = member.value
    let wrong = AvroSchemaParser.Fault.expected("a number of this type", found: json, place, remedy: "write a number")
    guard case .number(let text) = json.content, let double = Double(text), double.isFinite else { throw wrong }
    switch type {
    case .double: return .double(double)
    case .decimal(let scale):
      guard let unscaled = JSONNumber.decimal(text, scale: scale) else { throw wrong }
      return .decimal(unscaled: unscaled, scale: scale)
    default:
      let rounded = double.rounded(isUpper ? .down : .up)
      guard let integer = JSONNumber.integer(text) ?? Int64(exactly: rounded) else { throw wrong }
      let (scaled, overflow) = integer.multipliedReportingOverflow(by: encoding.factor)
      guard !overflow else { throw wrong }
      return type == .timestamp ? .timestamp(scaled) : type == .date ? .date(scaled) : .integer(scaled)
    }
  }

  private func readAllowed(
    _ member: JSONDocument.Member, _ place: String, _ result: inout Constraints
  ) throws(AvroSchemaParser.Fault) {
    try require(type == .string || type == .integer, member, "strings and integers")
    guard case .array(let items) = member.value.content, !items.isEmpty else {
      throw .expected("an array of values", found: member.value, place, remedy: #"write ["a", "b"]"#)
    }
    if type == .string {
      var texts: [[UInt8]] = []
      for item in items {
        guard let text = item.string else { throw .expected("a string", found: item, place, remedy: "quote it") }
        texts.append(Array(text.utf8))
      }
      result.allowedTexts = texts.sorted { $0.lexicographicallyPrecedes($1) }
    } else {
      var integers: [Int64] = []
      for item in items {
        guard let value = item.integer else { throw .expected("an integer", found: item, place, remedy: "write 1") }
        integers.append(value)
      }
      result.allowedIntegers = integers.sorted()
    }
  }

  private func pattern(_ member: JSONDocument.Member, _ place: String) throws(AvroSchemaParser.Fault) -> Pattern {
    try require(type == .string, member, "strings")
    guard let text = member.value.string else {
      throw .expected("a regular expression", found: member.value, place, remedy: "quote it")
    }
    do throws(Pattern.Failure) {
      return try Pattern(text)
    } catch {
      throw AvroSchemaParser.Fault(
        offset: member.value.range.lowerBound,
        message: "\(place): at byte \(error.offset) of \"\(text)\": \(error.message)",
        remedy: "patterns are literals, classes, groups, alternatives and counted repetitions")
    }
  }
}
