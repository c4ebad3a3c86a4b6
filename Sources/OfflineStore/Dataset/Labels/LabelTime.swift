package import Columns
internal import Core

/// The time of a label: a timestamp, a date, epoch milliseconds, or RFC 3339 text.
package enum LabelTime {
  /// Nil when the value is no time.
  package static func milliseconds(_ value: Value) -> Int64? {
    switch value {
    case .timestamp(let microseconds): floorDivide(microseconds, 1_000)
    case .date(let days):
      days.multipliedReportingOverflow(by: 86_400_000).overflow ? nil : days &* 86_400_000
    case .integer(let milliseconds): milliseconds
    case .string(let text): RFC3339.milliseconds(text)
    default: nil
    }
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}
