internal import Core

/// When an event happened, out of a field: epoch milliseconds, UTC.
package enum EventTime {
  package enum Unit: String, Sendable, CaseIterable {
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"

    /// How many of them are a second, as a power of ten.
    var digits: Int {
      switch self {
      case .seconds: 0
      case .milliseconds: 3
      case .microseconds: 6
      case .nanoseconds: 9
      }
    }
  }

  package enum Failure: Error, Equatable, Sendable {
    case missing
    /// Neither a number nor text.
    case wrongKind(JSONValue.Kind)
    case notRFC3339
    /// Before 1970 or behind the year 9999: in most cases the unit is wrong.
    case outOfRange
  }

  /// 1970-01-01, without its first millisecond, to 9999-12-31: what a Kafka timestamp and RFC 3339 can both say (a
  /// client takes 0 for "now").
  package static let sane: ClosedRange<Int64> = 1...253_402_300_799_999

  /// - Parameters:
  ///   - value: a number in `unit`, or a string as RFC 3339 writes times.
  ///   - bytes: those that `value` lies in.
  package static func milliseconds(
    of value: JSONValue, in bytes: Span<UInt8>, unit: Unit
  ) throws(Failure) -> Int64 {
    switch value.kind {
    case .missing, .null: throw .missing
    case .integer, .decimal:
      guard let milliseconds = number(bytes.extracting(value.range), unit: unit), sane.contains(milliseconds) else {
        throw .outOfRange
      }
      return milliseconds
    case .string:
      guard let milliseconds = RFC3339.milliseconds(bytes.extracting(value.range)) else { throw .notRFC3339 }
      guard sane.contains(milliseconds) else { throw .outOfRange }
      return milliseconds
    case .escapedString: throw .notRFC3339
    case .true, .false, .object, .array: throw .wrongKind(value.kind)
    }
  }

  /// A JSON number of `unit`, rounded down to milliseconds; nil when that does not fit.
  static func number(_ text: Span<UInt8>, unit: Unit) -> Int64? {
    var mantissa: Int64 = 0
    var fractionDigits = 0
    var isFraction = false
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        // Digits behind the millisecond do not count.
        if isFraction && fractionDigits + unit.digits >= 3 { continue }
        let (tens, overflow) = mantissa.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tens.addingReportingOverflow(Int64(text[index] - UInt8(ascii: "0")))
        if overflow || carried { return nil }
        mantissa = sum
        if isFraction { fractionDigits += 1 }
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "-") where index == 0: return nil
      default: return scientific(text, unit: unit)
      }
    }
    return scaled(mantissa, byTenTo: 3 - unit.digits - fractionDigits)
  }

  private static func scaled(_ number: Int64, byTenTo exponent: Int) -> Int64? {
    var result = number
    for _ in 0..<abs(exponent) {
      let (product, overflow) = exponent > 0 ? result.multipliedReportingOverflow(by: 10) : (result / 10, false)
      if overflow { return nil }
      result = product
    }
    return result
  }

  /// `1.35704172e12`: some writers print large numbers so.
  private static func scientific(_ text: Span<UInt8>, unit: Unit) -> Int64? {
    var digits: [UInt8] = []
    for index in text.indices { digits.append(text[index]) }
    guard let value = Double(String(decoding: digits, as: UTF8.self)) else { return nil }
    let powersOfTen = [1_000, 1, 0.001, 0.000_001]
    return Int64(exactly: (value * powersOfTen[unit.digits / 3]).rounded(.down))
  }
}
