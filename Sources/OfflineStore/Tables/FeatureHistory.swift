package import Columns

/// The columns of `features/<view>`: join keys, when the values were read, every feature as it was served, then what a
/// reader has to know of the row.
package enum FeatureHistory {
  package static func name(view: String) -> String { "features/\(view)" }

  /// - Parameters:
  ///   - keys: the entity's join keys.
  ///   - features: in the view's order.
  package static func fields(
    keys: [OfflineTable.Field], features: [OfflineTable.Field]
  ) -> [OfflineTable.Field] {
    keys
      + [
        .init(
          "event_time", .timestamp, isNullable: false,
          comment: "the time that the values are of: of the event, or the last millisecond of the tile")
      ] + features + facts
  }

  /// Behind the features, in this order.
  private static let facts: [OfflineTable.Field] = [
    .init(
      "_status", .string, isNullable: false,
      comment: "PRESENT; OUTSIDE_MAX_AGE: past the view's ttl; BEFORE_HORIZON: some values were not kept for this "
        + "time, and are null"),
    .init(
      "_exact", .boolean, isNullable: false,
      comment: "false: a value may hold events that are newer than event_time, none newer than _known_at"),
    .init(
      "_revision", .integer, isNullable: false,
      comment: "of rows with the same keys and event_time the greatest counts; in a history of updates 1 is an event "
        + "that came behind the lateness"),
    .init(
      "_known_at", .timestamp,
      comment: "the timestamp of the record that made the row: join on it to see what was known"),
    .init("_topic", .string, isNullable: false, comment: "of the record that made the row"),
    .init("_partition", .integer, isNullable: false, comment: "of the record that made the row"),
    .init("_offset", .integer, isNullable: false, comment: "of the record that made the row"),
  ]

  /// Fields behind the features.
  package static let factCount = 7

  /// Of one row, besides keys and features.
  package struct Facts {
    package var revision: Int64
    /// The timestamp of the record that made the row; nil when it has none.
    package var knownMilliseconds: Int64?
    package var partition: Int32
    package var offset: Int64

    package init(revision: Int64, knownMilliseconds: Int64?, partition: Int32, offset: Int64) {
      self.revision = revision
      self.knownMilliseconds = knownMilliseconds
      self.partition = partition
      self.offset = offset
    }
  }

  /// Adds what is known of a row to the last columns.
  ///
  /// - Parameters:
  ///   - first: the position of `_status`.
  ///   - status: its name in UTF-8, as `topic`'s.
  @inline(__always)
  package static func append(
    _ facts: Facts, status: RawSpan, isExact: Bool, topic: RawSpan, to batch: inout ColumnBatch, from first: Int
  ) {
    batch.columns[first].append(status)
    batch.columns[first + 1].append(isExact)
    batch.columns[first + 2].append(facts.revision)
    if let known = facts.knownMilliseconds {
      batch.columns[first + 3].append(known &* 1_000)
    } else {
      batch.columns[first + 3].appendNull()
    }
    batch.columns[first + 4].append(topic)
    batch.columns[first + 5].append(Int64(facts.partition))
    batch.columns[first + 6].append(facts.offset)
  }
}
