package import Columns

/// What the log says of the values of one column in one file.
package struct ColumnBounds: Sendable, Equatable {
  /// No value is less; nil: nothing is known.
  package var minimum: Value?
  /// No value is greater; nil: nothing is known.
  package var maximum: Value?
}

extension DataFile {
  /// The number of its rows; nil when the log does not say it.
  package var rowCount: Int64? { FileStatistics(self)?.rowCount }

  /// Bounds of several columns, in their order, from the file's statistics: nothing is read.
  package func bounds(of columns: [(name: String, type: ColumnType)]) -> [ColumnBounds] {
    let statistics = FileStatistics(self)
    return columns.map { column in
      ColumnBounds(
        minimum: statistics?.minimum(column.name, column.type), maximum: statistics?.maximum(column.name, column.type))
    }
  }
}
