internal import Columns
internal import Core
internal import Kafka
internal import OfflineStore

/// Makes rows of a table out of the records of a topic.
protocol ArchiveRowReader: AnyObject {
  /// Of the table; `ModelArchive.record` comes last.
  var fields: [OfflineTable.Field] { get }

  /// Appends a row for each record from an offset on that gives one.
  ///
  /// - Throws: `SCHEMA_NOT_HERE` while the schema of a record is on its way.
  func read(
    _ records: borrowing ConsumedBatch, from offset: Int64, into batch: inout ColumnBatch
  ) throws(HeadraceError)
}

extension ColumnBatch {
  /// Fills the last columns of the row that is being made, and counts it.
  mutating func finishRow(_ record: borrowing ConsumedRecord, of partition: TopicPartition) {
    let first = columns.count - ModelArchive.record.count
    let known = record.timestampMilliseconds
    if known > 0 { columns[first].append(known.multipliedClamped(1_000)) } else { columns[first].appendNull() }
    columns[first + 1].append(partition.topic)
    columns[first + 2].append(Int64(partition.partition))
    columns[first + 3].append(record.offset)
    rowCount += 1
  }
}
