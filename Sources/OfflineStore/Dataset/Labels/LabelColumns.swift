internal import Columns
internal import Core

/// Names and types of labels, and which columns say when.
struct LabelColumns {
  let names: [String]
  let types: [ColumnType]
  /// For messages.
  let place: String
  /// At which the features of each row are read.
  let time: Int
  /// Columns that name a record, when there are all three: what was known then is the record's partition up to it.
  let position: Position?

  struct Position {
    var topic: Int
    var partition: Int
    var offset: Int
  }

  /// - Throws: LABELS_INVALID naming the column.
  init(_ source: any LabelSource, timeColumn: String) throws(HeadraceError) {
    names = source.names
    types = source.types
    place = source.origin.place
    guard let time = names.firstIndex(of: timeColumn) else {
      throw Self.invalid(
        "there is no column \"\(timeColumn)\"; there are \(names.joined(separator: ", "))", place,
        remedy: "name the column of the time with --label-time")
    }
    self.time = time
    let places = zip(["_topic", "_partition", "_offset"], [ColumnType.string, .integer, .integer])
      .compactMap { name, type in source.names.firstIndex(of: name).flatMap { source.types[$0] == type ? $0 : nil } }
    position = places.count == 3 ? Position(topic: places[0], partition: places[1], offset: places[2]) : nil
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
    guard types[index] == type else {
      throw Self.invalid(
        "column \"\(name)\" is \(types[index]), and \(what) needs \(type)", place,
        remedy: "write the column with that type")
    }
    return index
  }

  /// The time of each row: a timestamp, a date, epoch milliseconds, or RFC 3339 text.
  ///
  /// - Parameter firstRow: the number of the batch's first row, for messages.
  func timesMilliseconds(_ batch: borrowing ColumnBatch, firstRow: Int) throws(HeadraceError) -> [Int64] {
    var times: [Int64] = []
    times.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount {
      guard let milliseconds = LabelTime.milliseconds(batch.columns[time].value(row)) else {
        throw Self.invalid(
          "row \(firstRow + row) of column \"\(names[time])\" is \(batch.columns[time].value(row))", place,
          remedy: "a label needs a time: a timestamp, a date, epoch milliseconds or RFC 3339")
      }
      times.append(milliseconds)
    }
    return times
  }

  static func invalid(_ what: String, _ place: String, remedy: String) -> HeadraceError {
    HeadraceError(.user, "LABELS_INVALID", what, place: place, remedy: remedy)
  }
}
