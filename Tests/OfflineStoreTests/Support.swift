import Columns
import Core
import Expressions
import Features

@testable import OfflineStore

/// The table of the tests: a number, a text that may be null, and the offset that a row comes from.
enum TestTable {
  static func make(_ name: String = "events/test", partition: Int32 = 0) -> OfflineTable {
    OfflineTable(
      name: name, fields: [.init("amount", .double), .init("who", .string), .init("_offset", .integer)], offsetField: 2,
      topology: "test", topic: "input", partition: partition)
  }

  /// The row of a record is a function of its offset.
  static func append(_ offset: Int64, to batch: inout ColumnBatch) {
    batch.columns[0].append(Double(offset) / 4)
    if offset % 5 == 0 { batch.columns[1].appendNull() } else { batch.columns[1].append("user \(offset % 7)") }
    batch.columns[2].append(offset)
    batch.rowCount += 1
  }
}
