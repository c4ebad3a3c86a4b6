package import Core

/// Follows what a group gives to a consumer and takes from it. Called on the consumer's own thread, inside `poll` and
/// `close`.
package protocol RebalanceListener: AnyObject {
  /// The group gives these partitions; where it left them is not read yet. The moment to fence whoever had them before:
  /// the answer to the question for the offsets waits for transactions that are still open.
  func prepare(_ partitions: [TopicPartition], for consumer: Consumer) throws

  /// The consumer is about to own these partitions. Returned offsets override where they start.
  func assigned(_ partitions: [AssignedPartition], to consumer: Consumer) throws -> [TopicPartition: Int64]

  /// The group takes these partitions back: the last moment to commit what was handed over of them, or to abort.
  func revoked(_ partitions: [TopicPartition], from consumer: Consumer) throws

  /// Another member owns these partitions already: whatever is not committed must be dropped.
  func lost(_ partitions: [TopicPartition], from consumer: Consumer) throws
}

extension RebalanceListener {
  package func prepare(_ partitions: [TopicPartition], for consumer: Consumer) throws {}
}

/// A partition that the group assigns, and where its last owner left it.
package struct AssignedPartition: Sendable, Equatable {
  package var partition: TopicPartition
  package var committed: CommittedOffset?
}

/// An offset that the group coordinator keeps.
package struct CommittedOffset: Sendable, Equatable {
  /// The next record to read.
  package var offset: Int64
  package var metadata: String?

  package init(offset: Int64, metadata: String? = nil) {
    self.offset = offset
    self.metadata = metadata
  }
}

/// Where reading starts.
package enum StartOffset: Sendable, Equatable {
  case offset(Int64)
  case beginning
  /// The end of the log: what is written from now on. Under read_committed: the first open transaction.
  case end
  /// The first record whose timestamp is not before this, in milliseconds since 1970; the end when there is none.
  case time(Int64)
  /// The group's committed offset, else what the configuration says.
  case committed
}
