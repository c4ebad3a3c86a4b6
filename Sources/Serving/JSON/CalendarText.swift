internal import Core

/// The characters of one time on the stack: an answer has one for every value.
struct CalendarText {
  /// The longest text, of the year 1,000,000 with microseconds, has 32.
  private(set) var bytes = InlineArray<40, UInt8>(repeating: 0)
  private(set) var count = 0

  var description: String {
    var text = ""
    for index in 0..<count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
  }

  mutating func append(_ byte: UInt8) {
    bytes[count] = byte
    count += 1
  }

  /// With leading zeros; more digits where the number has more.
  mutating func append(_ number: Int64, digits: Int) {
    var width = digits
    var limit = Self.powersOfTen[min(digits, 9)]
    while number >= limit, width < 10 {
      width += 1
      limit *= 10
    }
    var rest = number
    for position in stride(from: count + width - 1, through: count, by: -1) {
      bytes[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += width
  }

  private static let powersOfTen: InlineArray<10, Int64> = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  ]

  mutating func appendDate(days: Int64) {
    let (year, month, day) = Self.civil(days: days)
    if year < 0 || year > 9_999 { append(UInt8(ascii: year < 0 ? "-" : "+")) }
    append(abs(year), digits: 4)
    append(UInt8(ascii: "-"))
    append(month, digits: 2)
    append(UInt8(ascii: "-"))
    append(day, digits: 2)
  }

  mutating func appendTime(secondOfDay: Int64) {
    append(secondOfDay / 3_600, digits: 2)
    append(UInt8(ascii: ":"))
    append(secondOfDay / 60 % 60, digits: 2)
    append(UInt8(ascii: ":"))
    append(secondOfDay % 60, digits: 2)
  }

  /// The date that lies so many days behind 1970-01-01.
  static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Far outside of any calendar the arithmetic below would overflow.
    let days = min(max(days, -365_000_000), 365_000_000)
    let date = CivilDate(daysSinceEpoch: days)
    return (date.year, date.month, date.day)
  }
}

extension Int64 {
  /// Rounded towards minus infinity, so that the remainder is never negative.
  func dividedDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
