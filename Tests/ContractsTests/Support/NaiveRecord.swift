import Columns

/// The oracle for JSON records: the rules again, over the naive parser's tree, with text instead of arithmetic.
///
/// It knows records, nullable types, booleans, integers, doubles and strings; none of them has a default.
enum NaiveRecord {
  /// - Returns: nil when the record breaks its type.
  static func columns(_ type: RandomType, _ bytes: [UInt8]) -> [Value]? {
    guard let document = NaiveJSON.parse(bytes[...]), case .object = document.json else { return nil }
    return columns(type, document, bytes)
  }

  private static func columns(_ type: RandomType, _ value: NaiveJSON.Located?, _ bytes: [UInt8]) -> [Value]? {
    if case .nullable(let inner) = type {
      guard let value, !value.json.isNull else { return nulls(inner) }
      return columns(inner, value, bytes)
    }
    guard let value else { return nil }
    let text = String(decoding: bytes[value.range], as: UTF8.self)
    switch (type, value.json) {
    case (.record(_, let fields), .object(let members)):
      var result: [Value] = []
      for field in fields {
        let member = members.last { $0.name == Array(field.name.utf8) }
        guard let inner = columns(field.type, member?.value, bytes) else { return nil }
        result += inner
      }
      return result
    case (.boolean, .true): return [.boolean(true)]
    case (.boolean, .false): return [.boolean(false)]
    case (.int, .integer), (.int, .decimal):
      return integer(text).flatMap { Int32(exactly: $0) }.map { [.integer(Int64($0))] }
    case (.long, .integer), (.long, .decimal): return integer(text).map { [.integer($0)] }
    case (.double, .integer), (.double, .decimal):
      return Double(text).flatMap { $0.isFinite ? [.double($0)] : nil }
    case (.string, .string(let text, _)): return [.string(String(decoding: text, as: UTF8.self))]
    default: return nil
    }
  }

  private static func nulls(_ type: RandomType) -> [Value] {
    switch type {
    case .record(_, let fields): fields.flatMap { nulls($0.type) }
    case .nullable(let inner): nulls(inner)
    default: [.null]
    }
  }

  /// Moves the point through the text until the exponent is used up.
  private static func integer(_ text: String) -> Int64? {
    let parts = text.lowercased().split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1]) ?? (parts[1].hasPrefix("-") ? -100_000 : 100_000) : 0
    var mantissa = parts[0].split(separator: ".").map(String.init)
    if mantissa.count == 1 { mantissa.append("") }
    let isNegative = mantissa[0].hasPrefix("-")
    var whole = isNegative ? String(mantissa[0].dropFirst()) : mantissa[0]
    var fraction = mantissa[1]
    if (whole + fraction).allSatisfy({ $0 == "0" }) { return 0 }
    exponent = max(-10_000, min(exponent, 10_000))
    while exponent > 0 {
      whole.append(fraction.isEmpty ? "0" : fraction.removeFirst())
      exponent -= 1
    }
    while exponent < 0 {
      fraction = (whole.popLast().map { String($0) } ?? "0") + fraction
      exponent += 1
    }
    return fraction.allSatisfy { $0 == "0" } ? Int64((isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)) : nil
  }
}

extension NaiveJSON {
  fileprivate var isNull: Bool {
    if case .null = self { true } else { false }
  }
}
