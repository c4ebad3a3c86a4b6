internal import Columns
internal import OfflineStore

/// Events of the archive, as a reader of it gives them: the contract's fields, then what was decided of each.
struct ArchivedRows: Sendable {
  let batch: ColumnBatch
  /// How many of the columns are fields.
  let fieldCount: Int

  var count: Int { batch.rowCount }

  func offset(_ row: Int) -> Int64 { batch.columns[fieldCount + EventArchive.offsetDecision].integers[row] }
  func eventTimeMilliseconds(_ row: Int) -> Int64 { Self.milliseconds(batch.columns[fieldCount].integers[row]) }

  /// 0: the record has no time.
  func knownMilliseconds(_ row: Int) -> Int64 {
    let column = fieldCount + 1
    return batch.columns[column].isValid[row] ? Self.milliseconds(batch.columns[column].integers[row]) : 0
  }

  /// nil: the record has no time.
  func known(_ row: Int) -> Int64? {
    let known = knownMilliseconds(row)
    return known > 0 ? known : nil
  }

  /// Before the event; nil before the first one of its partition.
  func watermarkMilliseconds(_ row: Int) -> Int64? {
    let column = fieldCount + 2
    return batch.columns[column].isValid[row] ? Self.milliseconds(batch.columns[column].integers[row]) : nil
  }

  private static func milliseconds(_ microseconds: Int64) -> Int64 { microseconds / 1_000 }

  /// The last row alone.
  var last: ArchivedRows? {
    guard count > 0 else { return nil }
    var row = ColumnBatch(batch.columns.map(\.type))
    for column in batch.columns.indices { row.columns[column].append(count - 1, of: batch.columns[column]) }
    row.rowCount = 1
    return ArchivedRows(batch: row, fieldCount: fieldCount)
  }
}
