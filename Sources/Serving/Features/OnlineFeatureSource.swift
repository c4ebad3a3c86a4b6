package import Features
package import OfflineStore
package import OnlineStore
package import Runtime

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

/// Why a read gave nothing.
package enum OnlineReadError: Error, Equatable, Sendable {
  /// The task of the key's partition has not caught up with what it had committed.
  case notReady(partition: Int32, why: String)
  /// Another process owns the key's partition.
  case notOwned(partition: Int32, owner: String?)
  /// The time asked for lies before what is kept.
  case beforeHorizon
  /// The view is being built from the log.
  case building
  /// The record that the read waits for was not applied in time.
  case waitTimedOut
  /// A topic or partition that no view reads.
  case unknownOffset(RecordOffset)
  /// The store below failed.
  case failed(code: String, message: String)
  /// The process that has the row did not give it.
  case atOwner(PeerFailure)
}

/// Values of features, from any thread. Runtime's reader in a server; a table in tests.
package protocol OnlineFeatureSource: Sendable {
  /// Reads features of one view for one key, without waiting for anything but the disk.
  ///
  /// - Parameters:
  ///   - view: its index in the catalog.
  ///   - features: indexes into the view's features.
  ///   - values: replaced by one value for each of `features`, in their order.
  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment

  /// Returns when everything up to and including these records is applied.
  ///
  /// - Throws: `.waitTimedOut` when that takes longer than `milliseconds`.
  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError)

  /// Whether a task is in this process.
  func isHere(_ partition: Int32) -> Bool

  /// Whether rows that were read are still to be asked for elsewhere, so that what was read is nothing yet.
  var hasPutOff: Bool { get }
}

extension OnlineFeatureSource {
  package func isHere(_ partition: Int32) -> Bool { true }
  package var hasPutOff: Bool { false }
}

/// What is told of reads that are looked at more closely.
package struct TracedRead: Sendable {
  package var moment: ReadMoment
  /// Which records the row was made of; nil when nobody can say.
  package var prefix: LogPrefix?

  package init(moment: ReadMoment, prefix: LogPrefix?) {
    self.moment = moment
    self.prefix = prefix
  }
}

/// A source whose answers can be made again takes samples of what was served.
package protocol SampledFeatureSource: OnlineFeatureSource {
  /// The most vectors a second that it wants of each service; 0: none.
  var samplesPerSecond: Int { get }

  /// As `read`, for a vector that is sampled.
  func readTraced(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> TracedRead

  /// Takes a vector that was served. Never waits.
  func take(_ sample: ServedVector)
}
