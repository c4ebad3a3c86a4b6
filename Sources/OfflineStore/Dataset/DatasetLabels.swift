package import Columns
package import Core
internal import Parquet

/// The rows that a dataset is made for: an entity's keys, a time, and whatever else shall go along.
package struct DatasetLabels: Sendable {
  package var names: [String]
  package var batch: ColumnBatch
  /// At which the features of each row are read.
  package var timesMilliseconds: [Int64]
  /// Where the rows came from, for messages and for the manifest.
  package var place: String

  /// - Parameter timeColumn: a timestamp, a date, epoch milliseconds, or RFC 3339 text.
  /// - Throws: LABELS_INVALID naming the column or the row.
  package init(names: [String], batch: ColumnBatch, timeColumn: String, place: String) throws(HeadraceError) {
    guard let time = names.firstIndex(of: timeColumn) else {
      throw Self.invalid(
        "there is no column \"\(timeColumn)\"; there are \(names.joined(separator: ", "))", place,
        remedy: "name the column of the time with --label-time")
    }
    self.names = names
    self.batch = batch
    self.place = place
    timesMilliseconds = []
    timesMilliseconds.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount {
      guard let milliseconds = Self.milliseconds(batch.columns[time], row) else {
        throw Self.invalid(
          "row \(row) of column \"\(timeColumn)\" is \(batch.columns[time].value(row))", place,
          remedy: "a label needs a time: a timestamp, a date, epoch milliseconds or RFC 3339")
      }
      timesMilliseconds.append(milliseconds)
    }
  }

  package init(parquet path: String, timeColumn: String) throws(HeadraceError) {
    let source = try ParquetFileSource(path: path)
    let file = try ParquetFile(source, place: path)
    let names = file.schema.leaves.filter { $0.maximumRepetitionLevel == 0 }.map(\.name)
    let reader = try ParquetReader(file, source: source, columns: names)
    var all = ColumnBatch(reader.types)
    var batch = ColumnBatch(reader.types)
    while try reader.next(into: &batch) {
      for index in batch.columns.indices {
        for row in 0..<batch.rowCount { all.columns[index].append(row, of: batch.columns[index]) }
      }
      all.rowCount += batch.rowCount
    }
    try self.init(names: names, batch: all, timeColumn: timeColumn, place: path)
  }

  /// Drops all columns but these.
  mutating func keep(_ columns: [Int]) {
    names = columns.map { names[$0] }
    batch.columns = columns.map { batch.columns[$0] }
  }

  /// The position of a column.
  ///
  /// - Throws: LABELS_INVALID when it is not there, or of another type.
  func column(_ name: String, _ type: ColumnType, neededFor what: String) throws(HeadraceError) -> Int {
    guard let index = names.firstIndex(of: name) else {
      throw Self.invalid(
        "there is no column \"\(name)\", which \(what) needs; there are \(names.joined(separator: ", "))", place,
        remedy: "add the column to the labels")
    }
    guard batch.columns[index].type == type else {
      throw Self.invalid(
        "column \"\(name)\" is \(batch.columns[index].type), and \(what) needs \(type)", place,
        remedy: "write the column with that type")
    }
    return index
  }

  private static func milliseconds(_ column: borrowing Column, _ row: Int) -> Int64? {
    switch column.value(row) {
    case .timestamp(let microseconds): floorDivide(microseconds, 1_000)
    case .date(let days): days.multipliedReportingOverflow(by: 86_400_000).partialValue
    case .integer(let milliseconds): milliseconds
    case .string(let text): RFC3339.milliseconds(text)
    default: nil
    }
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }

  private static func invalid(_ what: String, _ place: String, remedy: String) -> HeadraceError {
    HeadraceError(.user, "LABELS_INVALID", what, place: place, remedy: remedy)
  }
}
