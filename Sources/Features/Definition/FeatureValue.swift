package import Columns

/// Whether a value may be used, in the words of Feast's wire format.
package enum FeatureStatus: String, Sendable {
  case present = "PRESENT"
  /// There is a row, and the feature is null in it: a mean of no events.
  case nullValue = "NULL_VALUE"
  /// There is no row, or it ended, deleted yet or not.
  case notFound = "NOT_FOUND"
  /// The newest event is older than the view's `ttl`.
  case outsideMaxAge = "OUTSIDE_MAX_AGE"
}

/// What a reader must know of a value besides its status.
package struct FeatureFlags: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The tile that the read time lies in may hold events that are newer than the read time.
  package static let tile = FeatureFlags(rawValue: 1)
  /// `topk` met more distinct values than it keeps exactly.
  package static let approximate = FeatureFlags(rawValue: 2)
  /// The read time lies before what is retained: the value is null, and a reader answers with an error.
  package static let beforeHorizon = FeatureFlags(rawValue: 4)
}

/// A feature of one entity at one time.
package struct FeatureValue: Sendable, Equatable {
  /// Null unless `status` is `.present`.
  package var value: Value
  package var status: FeatureStatus
  /// The newest event of the row; nil when there is no row.
  package var eventTimeMilliseconds: Int64?
  package var flags: FeatureFlags = []

  package init(value: Value, status: FeatureStatus, eventTimeMilliseconds: Int64?, flags: FeatureFlags = []) {
    self.value = value
    self.status = status
    self.eventTimeMilliseconds = eventTimeMilliseconds
    self.flags = flags
  }

  package static let notFound = FeatureValue(value: .null, status: .notFound, eventTimeMilliseconds: nil)
}

/// Where an event stands against the watermark, by arithmetic alone.
package enum Ring: Int, Sendable, Comparable {
  /// No window counts it any more: it goes to the late topic.
  case late
  /// Older than the lateness, but a tile of it still counts for some window.
  case repaired
  case applied

  package static func < (left: Ring, right: Ring) -> Bool { left.rawValue < right.rawValue }
}

/// Where an event stands in the log; with its event time a total order.
package struct EventPosition: Hashable, Sendable {
  package var partition: Int32
  package var offset: Int64

  package init(partition: Int32, offset: Int64) {
    self.partition = partition
    self.offset = offset
  }
}
