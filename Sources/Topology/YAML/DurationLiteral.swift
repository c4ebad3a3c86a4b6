/// Durations of the topology language: `500ms`, `30s`, `10m`, `24h`, `7d`, `2w`.
enum DurationLiteral {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
  ]

  /// Longer than this is a mistake, and would overflow sums of durations.
  private static let millisecondsMax: Int64 = 100 * 366 * 86_400_000

  /// - Returns: nil when the text is no duration, or one of more than a hundred years.
  static func milliseconds(_ text: String) -> Int64? {
    if text == "0" { return 0 }
    guard let unit = units.first(where: { unit in text.hasSuffix(unit.suffix) && digits(text, unit.suffix) != nil }),
      let count = digits(text, unit.suffix)
    else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
    return overflow || product > millisecondsMax ? nil : product
  }

  private static func digits(_ text: String, _ suffix: String) -> Int64? {
    let number = text.dropLast(suffix.count)
    return number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(number) : nil
  }

  /// A duration for people: `10m`, `1d`; what is no whole number of one unit, as `1d 2h 10m`.
  static func text(_ milliseconds: Int64) -> String {
    var rest = milliseconds
    var parts: [String] = []
    // 7d reads better than 1w.
    for unit in units.reversed() where unit.suffix != "w" && rest >= unit.milliseconds {
      parts.append("\(rest / unit.milliseconds)\(unit.suffix)")
      rest %= unit.milliseconds
    }
    return parts.isEmpty ? "0" : parts.joined(separator: " ")
  }
}
