/// Times as RFC 3339 writes them: `2013-01-31T23:59:59.5Z`, `2013-02-01T00:59:59+01:00`.
package enum RFC3339 {
  /// - Returns: epoch milliseconds, rounded down; nil when the text is no such time. A leap second counts as the next
  ///   one.
  package static func milliseconds(_ text: Span<UInt8>) -> Int64? {
    microseconds(text).map { floorDivide($0, 1_000) }
  }

  /// As above, in microseconds.
  package static func microseconds(_ text: Span<UInt8>) -> Int64? {
    var reader = Reader(text: text)
    guard let days = reader.date() else { return nil }
    guard reader.take("T") || reader.take("t") || reader.take(" ") else { return nil }
    guard
      let hour = reader.digits(2, in: 0...23), reader.take(":"), let minute = reader.digits(2, in: 0...59),
      reader.take(":"), let second = reader.digits(2, in: 0...60), let fraction = reader.fraction(),
      let offset = reader.offsetMinutes(), reader.isAtEnd
    else { return nil }
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
    return seconds * 1_000_000 + fraction
  }

  /// Days since 1970-01-01 of a bare date, `2013-01-31`.
  package static func days(_ text: Span<UInt8>) -> Int64? {
    var reader = Reader(text: text)
    guard let days = reader.date(), reader.isAtEnd else { return nil }
    return days
  }

  /// As above, and a bare date, `2013-01-31`, as its midnight UTC.
  package static func milliseconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return days(bytes.span).map { $0 * 86_400_000 } ?? milliseconds(bytes.span)
  }

  /// The time as text in UTC, with milliseconds where there are any.
  package static func text(milliseconds: Int64) -> String {
    let (days, rest) = (floorDivide(milliseconds, 86_400_000), floorRemainder(milliseconds, 86_400_000))
    let date = CivilDate(daysSinceEpoch: days)
    let seconds = rest / 1_000
    var text = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
    text += "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    if rest % 1_000 != 0 { text += ".\(padded(rest % 1_000, 3))" }
    return text + "Z"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

private struct Reader: ~Escapable {
  let text: Span<UInt8>
  var at = 0

  @_lifetime(copy text)
  init(text: Span<UInt8>) { self.text = text }

  var isAtEnd: Bool { at == text.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  mutating func digits(_ count: Int, in range: ClosedRange<Int64>) -> Int64? {
    guard at + count <= text.count else { return nil }
    var number: Int64 = 0
    for index in at..<(at + count) {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      number = number * 10 + Int64(digit)
    }
    at += count
    return range.contains(number) ? number : nil
  }

  mutating func date() -> Int64? {
    guard
      let year = digits(4, in: 0...9_999), take("-"), let month = digits(2, in: 1...12), take("-"),
      let day = digits(2, in: 1...31)
    else { return nil }
    let date = CivilDate(year: year, month: month, day: day)
    return CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date ? date.daysSinceEpoch : nil
  }

  /// Microseconds of `.123456`; 0 when there is no fraction; nil when a dot has no digit behind it.
  mutating func fraction() -> Int64? {
    guard take(".") else { return 0 }
    var microseconds: Int64 = 0
    var scale: Int64 = 100_000
    let start = at
    while at < text.count, case let digit = text[at] &- UInt8(ascii: "0"), digit < 10 {
      microseconds += Int64(digit) * scale
      scale /= 10
      at += 1
    }
    return at > start ? microseconds : nil
  }

  mutating func offsetMinutes() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isNegative = take("-")
    guard isNegative || take("+") else { return nil }
    guard let hours = digits(2, in: 0...23), take(":"), let minutes = digits(2, in: 0...59) else { return nil }
    return (isNegative ? -1 : 1) * (hours * 60 + minutes)
  }
}
