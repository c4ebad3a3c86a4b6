package import Columns

/// The columns of `events/<source>`: the fields of the contract as they came, then what was known and decided of each
/// record.
package enum EventArchive {
  /// Behind the contract's fields, in this order.
  package static let decisions: [OfflineTable.Field] = [
    .init("_event_time", .timestamp, isNullable: false),
    .init("_known_at", .timestamp),
    /// Before the record.
    .init("_watermark", .timestamp),
    .init("_outcome", .string, isNullable: false),
    .init("_topic", .string, isNullable: false),
    .init("_partition", .integer, isNullable: false),
    .init("_offset", .integer, isNullable: false),
  ]

  /// The position of `_outcome` among `decisions`.
  package static let outcomeDecision = 3
  /// The position of `_offset` among `decisions`.
  package static let offsetDecision = 6

  package static func name(source: String) -> String { "events/\(source)" }

  /// What one record adds to the columns of `decisions`.
  package struct Decision {
    package var eventTimeMilliseconds: Int64
    /// The record's timestamp; nil when it has none.
    package var knownMilliseconds: Int64?
    /// nil before the first record of the partition.
    package var watermarkMilliseconds: Int64?
    package var outcome: String
    package var topic: String
    package var partition: Int32
    package var offset: Int64

    package init(
      eventTimeMilliseconds: Int64, knownMilliseconds: Int64?, watermarkMilliseconds: Int64?, outcome: String,
      topic: String, partition: Int32, offset: Int64
    ) {
      self.eventTimeMilliseconds = eventTimeMilliseconds
      self.knownMilliseconds = knownMilliseconds
      self.watermarkMilliseconds = watermarkMilliseconds
      self.outcome = outcome
      self.topic = topic
      self.partition = partition
      self.offset = offset
    }

    /// - Parameter first: the position of the first of these columns.
    package func append(to batch: inout ColumnBatch, from first: Int) {
      batch.columns[first].append(eventTimeMilliseconds &* 1_000)
      batch.columns[first + 1].append(microseconds: knownMilliseconds)
      batch.columns[first + 2].append(microseconds: watermarkMilliseconds)
      batch.columns[first + 3].append(outcome)
      batch.columns[first + 4].append(topic)
      batch.columns[first + 5].append(Int64(partition))
      batch.columns[first + 6].append(offset)
    }
  }
}

extension Column {
  fileprivate mutating func append(microseconds milliseconds: Int64?) {
    if let milliseconds { append(milliseconds &* 1_000) } else { appendNull() }
  }
}
