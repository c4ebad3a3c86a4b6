internal import Core
internal import Columns
internal import Contracts

extension GoldenValue {
  func accepts(_ found: Value) -> Bool {
    switch (self, found) {
    case (.null, .null): return true
    case (.boolean(let expected), .boolean(let found)): return expected == found
    case (.integer(let expected), .integer(let found)), (.integer(let expected), .timestamp(let found)),
      (.integer(let expected), .date(let found)):
      return expected == found
    case (.integer(let expected), .double(let found)): return Double(expected) == found
    case (.number(let expected), .double(let found)): return expected == found
    case (.number(let expected), .integer(let found)): return expected == Double(found)
    case (.text(let expected), .string(let found)): return expected == found
    case (.list(let expected), .list(let found)):
      return expected.count == found.count && zip(expected, found).allSatisfy { $0.accepts($1) }
    case (.about(let expected, let within), .double(let found)):
      return (found - expected).magnitude <= within * expected.magnitude
    case (.about(let expected, let within), .integer(let found)):
      return (Double(found) - expected).magnitude <= within * expected.magnitude
    case (_, .decimal), (_, .timestamp), (_, .bytes):
      if case .text(let expected) = self { return expected == found.jsonText.trimmingQuotes }
      return false
    default: return false
    }
  }

  var text: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "\"\(value)\""
    case .list(let values): "[\(values.map(\.text).joined(separator: ", "))]"
    case .about(let value, let within): "\(value) within \(within)"
    }
  }
}

extension Value {
  /// As JSON: what JSON has no number for is text.
  var jsonText: String {
    switch self {
    case .null: return "null"
    case .boolean(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .double(let value): return value.isFinite ? "\(value)" : "\"\(value)\""
    case .string(let text): return Self.quoted(text)
    case .bytes(let bytes): return Self.quoted(Base64.encode(bytes))
    case .timestamp(let microseconds): return Self.quoted(RFC3339.text(milliseconds: microseconds / 1_000))
    case .date(let days):
      let (milliseconds, overflow) = days.multipliedReportingOverflow(by: 86_400_000)
      return overflow ? "\(days)" : Self.quoted(String(RFC3339.text(milliseconds: milliseconds).prefix(10)))
    case .decimal(let unscaled, let scale): return Self.quoted(Self.decimalText(unscaled, scale: scale))
    case .list(let values): return "[\(values.map(\.jsonText).joined(separator: ","))]"
    }
  }

  private static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONText.appendString(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func decimalText(_ unscaled: Int128, scale: Int) -> String {
    let digits = String(unscaled.magnitude)
    let sign = unscaled < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits + String(repeating: "0", count: -scale) }
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
  }
}

extension String {
  fileprivate var trimmingQuotes: String {
    count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : self
  }
}
