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
    writeDate(days: days)
    writeInteger(UInt8(ascii: "T"))
    writePadded(secondOfDay / 3_600, 2)
    writeInteger(UInt8(ascii: ":"))
    writePadded(secondOfDay / 60 % 60, 2)
    writeInteger(UInt8(ascii: ":"))
    writePadded(secondOfDay % 60, 2)
    if fractionDigits > 0 {
      writeInteger(UInt8(ascii: "."))
      writePadded(fraction, fractionDigits)
    }
    writeInteger(UInt8(ascii: "Z"))
  }

  /// `2026-11-20`, days being counted from 1970-01-01 (Hinnant, `civil_from_days`). Years outside of 0000 to 9999, which
  /// RFC 3339 does not know, are written with a sign.
  mutating func writeDate(days: Int64) {
    // Far outside of any calendar the arithmetic below would overflow.
    let days = min(max(days, -365_000_000), 365_000_000)
    let (era, dayOfEra) = (days + 719_468).dividedDown(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    if year < 0 || year > 9_999 { writeInteger(UInt8(ascii: year < 0 ? "-" : "+")) }
    writePadded(abs(year), 4)
    writeInteger(UInt8(ascii: "-"))
    writePadded(month, 2)
    writeInteger(UInt8(ascii: "-"))
    writePadded(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, 2)
  }

  private mutating func writePadded(_ number: Int64, _ width: Int) {
    var limit: Int64 = 10
    for _ in 1..<max(width, 1) {
      if number < limit { writeInteger(UInt8(ascii: "0")) }
      limit *= 10
    }
    writeDecimal(number)
  }
}

extension Int64 {
  /// Rounded towards minus infinity, so that the remainder is never negative.
  func dividedDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
