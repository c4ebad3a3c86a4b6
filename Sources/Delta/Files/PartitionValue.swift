package import Columns
internal import Core

/// Values of partition columns as text (PROTOCOL.md, "Partition Value Serialization").
package enum PartitionValue {
  /// - Returns: nil for null, and for what no partition may be named by: an empty text is null.
  package static func text(_ value: Value) -> String? {
    switch value {
    case .null, .list: nil
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .double(let value): String(value)
    case .string(let value): value.isEmpty ? nil : value
    case .bytes(let value): value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    case .timestamp(let value): TimeText.timestamp(microseconds: value)
    case .date(let value): TimeText.date(days: value)
    case .decimal(let unscaled, let scale): DecimalText.text(unscaled, scale: scale)
    }
  }

  /// - Returns: nil when the text is no value of the type.
  package static func value(_ text: String?, _ type: ColumnType) -> Value? {
    guard let text, !text.isEmpty else { return .null }
    let bytes = Array(text.utf8)
    switch type {
    case .boolean: return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
    case .integer: return Int64(text).map { .integer($0) }
    case .double: return Double(text).map { .double($0) }
    case .string: return .string(text)
    case .bytes: return .bytes(bytes)
    case .timestamp: return TimeText.microseconds(text).map { .timestamp($0) }
    case .date: return RFC3339.days(bytes.span).map { .date($0) }
    case .decimal(let scale):
      return JSONNumber.decimal(text, scale: scale).map { .decimal(unscaled: $0, scale: scale) }
    }
  }

  /// `column=value` for each column: the folders of a file, as Hive names them.
  package static func folders(_ columns: [String], _ values: [String: String?]) -> String {
    columns.map { "\(escape($0))=\((values[$0] ?? nil).map(escape) ?? nullName)" }.joined(separator: "/")
  }

  private static let nullName = "__HIVE_DEFAULT_PARTITION__"

  /// Hive's escaping: control characters and what means something to a shell, a path or a pattern. The whole value is
  /// in the name, because some readers take it from there and not from the log; so a value may be as long as a file
  /// name.
  private static func escape(_ text: String) -> String {
    var escaped: [UInt8] = []
    for byte in text.utf8 {
      if byte < 0x20 || byte == 0x7f || "\"#%'*/:=?\\{[]^ ".utf8.contains(byte) {
        URIText.escape(byte, into: &escaped)
      } else {
        escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }
}

/// Times as the log writes them: dates plain, timestamps in UTC.
enum TimeText {
  static func date(days: Int64) -> String {
    guard abs(days) <= CivilDate.daysMax else { return "" }
    let date = CivilDate(daysSinceEpoch: days)
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
  }

  /// `2013-01-31T23:59:59.123456Z`.
  static func timestamp(microseconds: Int64) -> String {
    let (days, rest) = (floorDivide(microseconds, 86_400_000_000), floorRemainder(microseconds, 86_400_000_000))
    let seconds = rest / 1_000_000
    return date(days: days)
      + "T\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(rest % 1_000_000, 6))Z"
  }

  /// Microseconds of a timestamp in any of the protocol's forms; one without a time zone is taken for UTC.
  static func microseconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return RFC3339.microseconds(bytes.span) ?? RFC3339.microseconds((bytes + [UInt8(ascii: "Z")]).span)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(abs(number))
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// Decimals as text with all digits of their scale.
enum DecimalText {
  static func text(_ unscaled: Int128, scale: Int) -> String {
    let digits = String(unscaled.magnitude)
    let sign = unscaled < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits }
    let filled = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(sign)\(filled.dropLast(scale)).\(filled.suffix(scale))"
  }
}
