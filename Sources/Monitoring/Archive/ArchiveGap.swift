/// What lies between a table's position and the log that it is read from.
enum ArchiveGap: Equatable {
  /// The log ends before what the table has of it: it is another one under the same name, and its records would pass
  /// for known ones.
  case logBeginsAgain(end: Int64)
  /// Records that retention has taken before they came to the table.
  case lost(Range<Int64>)

  /// - Parameters:
  ///   - position: of the table; nil where it has nothing yet.
  ///   - beginning: of the log, and its end.
  /// - Returns: nil where the log goes on behind what the table has.
  init?(position: Int64?, beginning: Int64, end: Int64) {
    guard let position else { return nil }
    if position > end {
      self = .logBeginsAgain(end: end)
    } else if position < beginning {
      self = .lost(position..<beginning)
    } else {
      return nil
    }
  }
}
