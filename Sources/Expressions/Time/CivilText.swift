internal import Core

/// Dates and timestamps as text: ISO 8601 days, RFC 3339 times; years 0000 to 9999.
enum CivilText {
  /// Days since 1970-01-01 of `2026-01-31`.
  static func date(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { unsafe date($0) }
  }

  /// Microseconds since 1970-01-01T00:00:00Z of `2026-01-31T12:00:00.25+01:00`.
  static func timestamp(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { unsafe timestamp($0) }
  }

  static func date(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var reader = unsafe DigitReader(bytes)
    guard let days = reader.date(), reader.isAtEnd else { return nil }
    return days
  }

  /// A blank may stand for the T; without a zone it is UTC; fractions beyond microseconds are cut off.
  static func timestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var reader = unsafe DigitReader(bytes)
    guard let days = reader.date() else { return nil }
    if reader.isAtEnd { return days * Microseconds.perDay }
    guard reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.digits(2), hour < 24,
      reader.take(":"), let minute = reader.digits(2), minute < 60
    else { return nil }
    var microseconds = days * Microseconds.perDay + hour * Microseconds.perHour + minute * Microseconds.perMinute
    if reader.take(":") {
      // A leap second is the first moment of the next minute, as in POSIX time.
      guard let second = reader.digits(2), second <= 60 else { return nil }
      microseconds += second * Microseconds.perSecond
      if reader.take(".") {
        guard let fraction = reader.fraction() else { return nil }
        microseconds += fraction
      }
    }
    guard let offset = reader.zoneOffset(), reader.isAtEnd else { return nil }
    return microseconds - offset
  }

  /// Appends `2026-01-31`; years before 0000 have a sign, years after 9999 more digits.
  static func append(days: Int64, to bytes: inout [UInt8]) {
    let date = CivilDate(daysSinceEpoch: days)
    if date.year < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(date.year.magnitude, width: 4, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendDigits(date.month.magnitude, width: 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendDigits(date.day.magnitude, width: 2, to: &bytes)
  }

  /// Appends `2026-01-31T12:00:00Z`, or with six digits of a fraction where there is one.
  static func append(microseconds: Int64, to bytes: inout [UInt8]) {
    append(days: floorDivide(microseconds, Microseconds.perDay), to: &bytes)
    let time = floorRemainder(microseconds, Microseconds.perDay)
    bytes.append(UInt8(ascii: "T"))
    appendDigits((time / Microseconds.perHour).magnitude, width: 2, to: &bytes)
    bytes.append(Ascii.colon)
    appendDigits((time / Microseconds.perMinute % 60).magnitude, width: 2, to: &bytes)
    bytes.append(Ascii.colon)
    appendDigits((time / Microseconds.perSecond % 60).magnitude, width: 2, to: &bytes)
    let fraction = time % Microseconds.perSecond
    if fraction != 0 {
      bytes.append(Ascii.point)
      appendDigits(fraction.magnitude, width: 6, to: &bytes)
    }
    bytes.append(UInt8(ascii: "Z"))
  }

  /// At least `width` digits.
  static func appendDigits(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
    let start = bytes.count
    var rest = value
    while rest != 0 || bytes.count - start < width {
      bytes.append(UInt8(truncatingIfNeeded: rest % 10) + 0x30)
      rest /= 10
    }
    bytes[start...].reverse()
  }
}

/// Takes fixed numbers of digits from a text, checked at every step.
private struct DigitReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(borrow source)
  init(_ source: UnsafeBufferPointer<UInt8>) {
    bytes = unsafe source.span
  }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func digits(_ count: Int) -> Int64? {
    guard position + count <= bytes.count else { return nil }
    var value: Int64 = 0
    for index in position..<position + count {
      guard Ascii.isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int64(bytes[index] - 0x30)
    }
    position += count
    return value
  }

  mutating func date() -> Int64? {
    guard let year = digits(4), take("-"), let month = digits(2), (1...12).contains(month), take("-"),
      let day = digits(2), day >= 1, day <= CivilDate.length(ofMonth: month, year: year)
    else { return nil }
    return CivilDate(year: year, month: month, day: day).daysSinceEpoch
  }

  /// Microseconds of the digits after the point.
  mutating func fraction() -> Int64? {
    var value: Int64 = 0
    var count = 0
    while position < bytes.count, Ascii.isDigit(bytes[position]) {
      if count < 6 { value = value * 10 + Int64(bytes[position] - 0x30) }
      count += 1
      position += 1
    }
    guard count > 0 else { return nil }
    for _ in min(count, 6)..<6 { value *= 10 }
    return value
  }

  /// Microseconds east of UTC of `Z`, `+01:00` or nothing.
  mutating func zoneOffset() -> Int64? {
    if isAtEnd || take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = digits(2), hours < 24, take(":"), let minutes = digits(2), minutes < 60
    else { return nil }
    let offset = hours * Microseconds.perHour + minutes * Microseconds.perMinute
    return isWest ? -offset : offset
  }
}
