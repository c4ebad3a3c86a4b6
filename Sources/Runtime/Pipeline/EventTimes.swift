internal import Columns
internal import Contracts
internal import Topology

/// When each event of a batch happened: epoch milliseconds out of a column.
enum EventTimes {
  /// Stand for a time in the result; no time is equal to them.
  private static let missing = Int64.min
  private static let outOfRange = Int64.max

  /// - Parameter unit: of a column of plain numbers; a timestamp or date knows its own.
  static func read(_ column: borrowing Column, unit: EventTime.Unit, into times: inout [Int64]) {
    times.removeAll(keepingCapacity: true)
    times.reserveCapacity(column.count)
    switch column.type {
    case .integer: readIntegers(column, unit, &times)
    case .timestamp: readScaled(column, divisor: 1_000, &times)
    case .date:
      for row in 0..<column.count {
        times.append(column.isValid[row] ? sane(column.integers[row].multipliedReportingOverflow(by: 86_400_000)) : missing)
      }
    case .double: readDoubles(column, unit, &times)
    case .string:
      for row in 0..<column.count {
        let time = column.isValid[row] ? RFC3339.milliseconds(column.text.bytes.span.extracting(column.text.range(row))) : nil
        times.append(column.isValid[row] ? time.map { sane(($0, false)) } ?? outOfRange : missing)
      }
    case .boolean, .bytes, .decimal:
      for _ in 0..<column.count { times.append(outOfRange) }
    }
  }

  /// Why a row has no event time.
  @inline(__always)
  static func fault(of time: Int64) -> FaultCode? {
    if time == missing { return .eventTimeMissing }
    return time == outOfRange ? .eventTimeOutOfRange : nil
  }

  private static func readIntegers(_ column: borrowing Column, _ unit: EventTime.Unit, _ times: inout [Int64]) {
    switch unit {
    case .milliseconds: readScaled(column, divisor: 1, &times)
    case .microseconds: readScaled(column, divisor: 1_000, &times)
    case .nanoseconds: readScaled(column, divisor: 1_000_000, &times)
    case .seconds:
      for row in 0..<column.count {
        times.append(column.isValid[row] ? sane(column.integers[row].multipliedReportingOverflow(by: 1_000)) : missing)
      }
    }
  }

  private static func readScaled(_ column: borrowing Column, divisor: Int64, _ times: inout [Int64]) {
    for row in 0..<column.count {
      // Before 1970 nothing is sane, so that the direction of rounding does not matter.
      times.append(column.isValid[row] ? sane((column.integers[row] / divisor, false)) : missing)
    }
  }

  private static func readDoubles(_ column: borrowing Column, _ unit: EventTime.Unit, _ times: inout [Int64]) {
    let factor: Double =
      switch unit {
      case .seconds: 1_000
      case .milliseconds: 1
      case .microseconds: 0.001
      case .nanoseconds: 0.000_001
      }
    for row in 0..<column.count {
      let time = Int64(exactly: (column.doubles[row] * factor).rounded(.down))
      times.append(column.isValid[row] ? time.map { sane(($0, false)) } ?? outOfRange : missing)
    }
  }

  @inline(__always)
  private static func sane(_ time: (partialValue: Int64, overflow: Bool)) -> Int64 {
    !time.overflow && EventTime.sane.contains(time.partialValue) ? time.partialValue : outOfRange
  }
}
