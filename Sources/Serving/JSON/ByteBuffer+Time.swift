internal import NIOCore

/// Times and dates as RFC 3339 writes them, without a calendar library.
extension ByteBuffer {
  /// `2026-11-20T12:34:56.789Z`, without quotes; the fraction only where there is one, with 3 or 6 digits.
  mutating func writeTime(milliseconds: Int64) {
    let (seconds, rest) = milliseconds.dividedDown(by: 1_000)
    writeTime(seconds: seconds, fraction: rest, fractionDigits: rest == 0 ? 0 : 3)
  }

  mutating func writeTime(microseconds: Int64) {
    let (seconds, rest) = microseconds.dividedDown(by: 1_000_000)
    if rest % 1_000 == 0 {
      writeTime(seconds: seconds, fraction: rest / 1_000, fractionDigits: rest == 0 ? 0 : 3)
    } else {
      writeTime(seconds: seconds, fraction: rest, fractionDigits: 6)
    }
  }

  private mutating func writeTime(seconds: Int64, fraction: Int64, fractionDigits: Int) {
    let (days, secondOfDay) = seconds.dividedDown(by: 86_400)
    var text = CalendarText()
    text.appendDate(days: days)
    text.append(UInt8(ascii: "T"))
    text.appendTime(secondOfDay: secondOfDay)
    if fractionDigits > 0 {
      text.append(UInt8(ascii: "."))
      text.append(fraction, digits: fractionDigits)
    }
    text.append(UInt8(ascii: "Z"))
    write(text.bytes.span.extracting(0..<text.count))
  }

  /// `2026-11-20`, days being counted from 1970-01-01. Years outside of 0000 to 9999, which RFC 3339 does not know, are
  /// written with a sign.
  mutating func writeDate(days: Int64) {
    var text = CalendarText()
    text.appendDate(days: days)
    write(text.bytes.span.extracting(0..<text.count))
  }
}
