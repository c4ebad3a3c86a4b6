internal import Core

/// What the journal says about groups.
enum GroupEvent: Sendable, Equatable {
  /// One offset, as a commit request brought it.
  struct Offset: Sendable, Equatable {
    var partition: TopicPartition
    var committed: CommittedOffset
  }

  /// A rebalance is complete. After a restart the generation goes on from here, so that a member of the time before can
  /// never be taken for one of today.
  case generationStarted(groupID: String, generation: Int32, protocolType: String, milliseconds: Int64)
  case offsetsCommitted(groupID: String, offsets: [Offset])
  /// Offsets that count if and when the producer's transaction commits.
  case offsetsStaged(groupID: String, producerID: Int64, offsets: [Offset])
  /// The producer's transaction ended: its staged offsets of all groups are committed or gone.
  case transactionEnded(producerID: Int64, isCommitted: Bool)
  case offsetsDeleted(groupID: String, partitions: [TopicPartition])
  case groupDeleted(groupID: String)
  case topicDeleted(topic: String)
}
