/// When a read looks at a view.
package enum ReadTime: Hashable, Sendable {
  /// The wall clock: windows decay also for keys that went quiet.
  case now
  /// A time that is past; epoch milliseconds. Exact up to the tile that it falls into.
  case at(milliseconds: Int64)
  /// The watermark: what was newest when the newest event came.
  case latest
}

/// Where in a topic a record is that a reader wants to have been applied.
package struct RecordOffset: Hashable, Sendable {
  package var topic: String
  package var partition: Int32
  package var offset: Int64

  package init(topic: String, partition: Int32, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }
}

/// What a reader should know about values beyond the values.
package struct ReadOutcome: Sendable {
  /// The time that windows ended at; epoch milliseconds.
  package var atMilliseconds: Int64
  /// Newer events lie in the tile that the time falls into: the values are exact to the tile, not to the millisecond.
  package var isTileGranular: Bool
  /// Up to where event time has been seen in the key's partition.
  package var watermarkMilliseconds: Int64?

  package init(atMilliseconds: Int64, isTileGranular: Bool = false, watermarkMilliseconds: Int64? = nil) {
    self.atMilliseconds = atMilliseconds
    self.isTileGranular = isTileGranular
    self.watermarkMilliseconds = watermarkMilliseconds
  }
}

/// Why a read gave nothing.
package enum OnlineReadError: Error, Equatable, Sendable {
  /// The task of the key's partition has not caught up with what it had committed.
  case notReady(partition: Int32)
  /// Another process owns the key's partition.
  case notOwned(partition: Int32, owner: String?)
  /// The time asked for lies before what is kept.
  case beforeHorizon(horizonMilliseconds: Int64)
  /// The view keeps no past at all (sessions, last events).
  case noPast
  /// The record that the read waits for was not applied in time.
  case waitTimedOut
  /// A topic or partition that no view reads.
  case unknownOffset(RecordOffset)
  /// The store below failed.
  case failed(code: String, message: String)
}

/// Values of features, from any thread. Runtime's reader in a server; a table in tests.
package protocol OnlineFeatureSource: Sendable {
  /// Reads features of one view for one key, without waiting for anything but the disk.
  ///
  /// - Parameters:
  ///   - view: its index in the catalog.
  ///   - features: indexes into the view's features.
  ///   - values: gets one value for each of `features`, in their order, appended; nothing when it throws.
  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadOutcome

  /// Returns when everything up to and including these records is applied.
  ///
  /// - Throws: `.waitTimedOut` when that takes longer than `milliseconds`.
  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError)
}
