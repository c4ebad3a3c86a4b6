package import Columns
internal import Expressions
internal import Features

/// The columns in which labels and events of one view wait for each other, spread over partitions by their entity.
package enum PointInTimeRows {
  /// Of a label: its number, its time, the partition and offset of the record that it names (null: none), then the key.
  package static func labelTypes(_ view: PointInTimeView) -> [ColumnType] {
    [.integer, .integer, .integer, .integer] + view.keyTypes
  }
  static let labelColumns = 4

  /// Of an event: from when on it counts, its time, the watermark with it, partition, offset, the key, then the inputs.
  package static func eventTypes(_ view: PointInTimeView) -> [ColumnType] {
    [.integer, .integer, .integer, .integer, .integer] + view.keyTypes + view.inputs.map(\.type)
  }
  static let eventColumns = 5

  /// Of a result: the label's number, then the features.
  package static func resultTypes(_ view: PointInTimeView) -> [ColumnType] {
    [.integer] + view.features.map { $0.type.columnType }
  }

  /// - Parameter count: a power of two. The low bits of the hash are those that tables go by.
  static func partition(_ hash: UInt64, of count: Int) -> Int { Int(truncatingIfNeeded: hash >> 40) & (count - 1) }
}

extension PointInTimeView {
  /// Of the entity's join keys.
  package var keyTypes: [ColumnType] { keyColumns.map { scope[$0] } }
}

extension FeatureType {
  /// In a dataset a list is the text of a JSON array.
  var columnType: ColumnType { isList ? .string : element }
}
