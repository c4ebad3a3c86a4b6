/// Numbers as people read them.
enum Figures {
  /// `1,234,567`
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return number < 0 ? "-\(text)" : text
  }

  /// `17.3 MB`: powers of a thousand, three figures.
  static func bytes(_ count: Double) -> String { scaled(count, ["B", "kB", "MB", "GB", "TB"], separator: " ") }

  /// `352k`: three figures.
  static func short(_ count: Double) -> String { scaled(count, ["", "k", "M", "G"], separator: "") }

  /// `0.41 s`, `2:07`, `1:02:09`
  static func duration(milliseconds: Int64) -> String {
    if milliseconds < 60_000 { return "\(fixed(Double(milliseconds) / 1_000, 2)) s" }
    return clock(seconds: milliseconds / 1_000)
  }

  /// `0:07`, `1:02:09`
  static func clock(seconds: Int64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
    let rest = padded(seconds % 60)
    return hours > 0 ? "\(hours):\(padded(minutes)):\(rest)" : "\(minutes):\(rest)"
  }

  private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func scaled(_ value: Double, _ units: [String], separator: String) -> String {
    var (value, unit) = (value, 0)
    // 999.5 would be shown as 1000.
    while value >= 999.5 && unit + 1 < units.count {
      value /= 1_000
      unit += 1
    }
    let digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
    return "\(fixed(value, digits))\(separator)\(units[unit])"
  }

  /// Rounded to a fixed number of digits behind the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let rounded = Int((value.magnitude * Double(scale)).rounded())
    let sign = value < 0 && rounded > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(rounded)" }
    let fraction = String(rounded % scale)
    return "\(sign)\(rounded / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
