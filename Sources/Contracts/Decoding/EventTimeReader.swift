internal import Core
package import Columns

/// When events happened, out of a decoded column: epoch milliseconds, UTC.
package struct EventTimeReader: Sendable {
  /// The column's position in the batch.
  package let column: Int
  /// Of numbers without a unit of their own.
  package let unit: EventTime.Unit
  /// The field's path, for faults.
  package let path: String

  package init(column: Int, path: String, unit: EventTime.Unit) {
    self.column = column
    self.path = path
    self.unit = unit
  }

  /// Which types an event time can be read from: integers and floating point numbers of `unit`, text as RFC 3339
  /// writes it, timestamps and dates.
  package static func accepts(_ type: ColumnType) -> Bool {
    switch type {
    case .integer, .double, .string, .timestamp, .date: true
    case .boolean, .bytes, .decimal: false
    }
  }

  /// Reads a row's event time, rounded down to milliseconds.
  @inline(__always)
  package func milliseconds(_ batch: borrowing ColumnBatch, row: Int) throws(EventTime.Failure) -> Int64 {
    guard batch.columns[column].isValid[row] else { throw .missing }
    let milliseconds: Int64?
    switch batch.columns[column].type {
    case .integer: milliseconds = Self.scaled(batch.columns[column].integers[row], unit)
    case .timestamp: milliseconds = Self.scaled(batch.columns[column].integers[row], .microseconds)
    case .date: milliseconds = Self.product(batch.columns[column].integers[row], 86_400_000)
    case .double:
      let factor = [1_000, 1, 0.001, 0.000_001][unit.digits / 3]
      milliseconds = Int64(exactly: (batch.columns[column].doubles[row] * factor).rounded(.down))
    case .string:
      let range = batch.columns[column].text.range(row)
      let bytes = batch.columns[column].text.bytes
      guard let time = RFC3339.milliseconds(bytes.span.extracting(range)) else { throw .notRFC3339 }
      milliseconds = time
    case .boolean, .bytes, .decimal: throw .missing
    }
    guard let milliseconds, EventTime.sane.contains(milliseconds) else { throw .outOfRange }
    return milliseconds
  }

  /// Reads all rows: 0 for those without an event time.
  ///
  /// - Parameters:
  ///   - times: what it held is dropped.
  ///   - faults: of the decoder, in the order of the rows, and stays so; rows that are in there are skipped.
  package func read(_ batch: borrowing ColumnBatch, into times: inout [Int64], faults: inout [RecordFault]) {
    times.removeAll(keepingCapacity: true)
    times.reserveCapacity(batch.rowCount)
    let known = faults.count
    var next = 0
    for row in 0..<batch.rowCount {
      if next < known && faults[next].row == row {
        next += 1
        times.append(0)
        continue
      }
      do throws(EventTime.Failure) {
        times.append(try milliseconds(batch, row: row))
      } catch {
        times.append(0)
        faults.append(fault(error, batch, row: row))
      }
    }
    if faults.count > known { faults.sort { $0.row < $1.row } }
  }

  private func fault(_ failure: EventTime.Failure, _ batch: borrowing ColumnBatch, row: Int) -> RecordFault {
    let code: FaultCode =
      switch failure {
      case .missing: .eventTimeMissing
      case .notRFC3339, .wrongKind: .notTime
      case .outOfRange: .eventTimeOutOfRange
      }
    let found: RecordFault.Found =
      switch batch.columns[column].value(row) {
      case .integer(let value), .timestamp(let value), .date(let value): .integer(value)
      case .double(let value): .double(value)
      default: .nothing
      }
    return RecordFault(row: row, code: code, path: path, found: found)
  }

  private static func scaled(_ value: Int64, _ unit: EventTime.Unit) -> Int64? {
    switch unit {
    case .seconds: product(value, 1_000)
    case .milliseconds: value
    case .microseconds: floor(value, 1_000)
    case .nanoseconds: floor(value, 1_000_000)
    }
  }

  private static func product(_ value: Int64, _ factor: Int64) -> Int64? {
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
