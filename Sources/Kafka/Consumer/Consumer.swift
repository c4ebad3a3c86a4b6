package import Core
internal import CRDKafka

/// Reads partitions of a Kafka log, batch by batch.
///
/// A consumer belongs to the thread that made it, and every call may block: never call it from Swift's thread pool, but
/// from a thread of your own (`BlockingThread`, `Confined`). Only `waker` may go elsewhere.
///
/// What it hands over continues, offset by offset, what it handed over before: the consumer resolves where a partition
/// starts, keeps its own position, and drops, counts and repairs whatever the library delivers out of line.
package final class Consumer {
  let configuration: ConsumerConfiguration
  let listener: (any RebalanceListener)?
  var instance: Instance?
  /// What the consumer owns, by partition and by the key that records carry.
  var owned: [TopicPartition: OwnedPartition] = [:]
  var ownedByRecordKey: [RecordKey: OwnedPartition] = [:]
  var pendingRebalances: [RebalanceEvent] = []
  var lastOwnership: UInt64 = 0
  var isInsidePoll = false
  var isClosing = false
  var handedOver = Counters()
  var prefetchAlarm = PrefetchAlarm()

  /// Everything that ends when the consumer is closed.
  struct Instance {
    let client: RDClient
    let queue: RDQueue
    let messages: MessageBuffer
  }

  /// - Parameter listener: kept until `close`.
  package init(_ configuration: ConsumerConfiguration, listener: (any RebalanceListener)? = nil) throws(HeadraceError) {
    self.configuration = configuration
    self.listener = listener
    let client = try RDClient(RD_KAFKA_CONSUMER, configuration.settings(), configuration.client)
    // Log lines and errors of the client arrive where records do, so that one poll serves them all.
    unsafe try client.check(rd_kafka_poll_set_consumer(client.handle), while: "start the consumer")
    guard let queue = RDQueue(consumer: client) else {
      throw HeadraceError(.internal, "NO_CONSUMER_QUEUE", "the client library has no queue for this consumer")
    }
    instance = Instance(
      client: client, queue: queue, messages: MessageBuffer(capacity: max(configuration.batchRecordsMaximum, 1)))
  }

  deinit {
    // Closing in good order is `close`; here only nobody may wait.
    guard let instance else { return }
    instance.messages.finish()
    Retirement.end(instance.client)
  }

  /// Joins the group and takes the partitions that it assigns; topic names that begin with `^` are patterns (POSIX
  /// extended).
  package func subscribe(_ topics: [String]) throws(HeadraceError) {
    let instance = try open()
    guard configuration.groupID != nil else {
      throw HeadraceError(
        .user, "NO_GROUP", "a consumer without group cannot subscribe", remedy: "set groupID, or assign partitions")
    }
    let list = RDPartitionList(topics.map { TopicPartition(topic: $0, partition: -1) })
    try instance.client.check(unsafe rd_kafka_subscribe(instance.client.handle, list.pointer), while: "subscribe")
  }

  /// The consumer's own parts, while it is open.
  func open() throws(HeadraceError) -> Instance {
    guard let instance else {
      throw HeadraceError(.internal, "CONSUMER_CLOSED", "this consumer is closed", remedy: "make a new one")
    }
    return instance
  }

  /// Ends a `poll` that waits, from any thread.
  package func waker() throws(HeadraceError) -> Waker { Waker(queue: try open().queue) }

  package struct Waker: Sendable {
    let queue: RDQueue
    package func wake() { queue.wake() }
  }

  /// Counts since the consumer was made.
  package struct Counters: Sendable, Equatable {
    package var deliveredRecords: Int64 = 0
    /// Records below the position, or of a partition that is not owned: dropped.
    package var staleRecords: Int64 = 0
    /// Records that wait behind a seek which is still to be done: dropped, and read again.
    package var discardedRecords: Int64 = 0
    /// Jumps after an interruption that a second reading confirmed: holes in the log.
    package var verifiedGaps: Int64 = 0
    /// Jumps after an interruption that a second reading did not confirm: records that the library had left out.
    package var recoveredGaps: Int64 = 0
  }

  package var counters: Counters {
    var counters = handedOver
    for partition in owned.values {
      counters.verifiedGaps += partition.continuity.verifiedGaps
      counters.recoveredGaps += partition.continuity.recoveredGaps
    }
    return counters
  }
}

@available(*, unavailable)
extension Consumer: Sendable {}

/// What identifies a record's partition without a string: its topic's handle and its number.
struct RecordKey: Hashable {
  let topic: UInt
  let partition: Int32
}

/// One partition that a consumer owns, from its assignment to its revocation.
final class OwnedPartition {
  let partition: TopicPartition
  let topic: RDTopic
  let ownership: UInt64
  var continuity: OffsetContinuity
  var isPaused = false
  /// The library is not, or not surely, at `continuity.nextOffset`: nothing counts until it was told to go there.
  var needsSeek = false
  /// When the seek that is still to be done was first tried, by the monotonic clock.
  var seekingSinceMilliseconds: Int64?

  init(_ partition: TopicPartition, topic: RDTopic, ownership: UInt64, startingAt offset: Int64) {
    self.partition = partition
    self.topic = topic
    self.ownership = ownership
    continuity = OffsetContinuity(startingAt: offset)
  }

  var recordKey: RecordKey { RecordKey(topic: unsafe UInt(bitPattern: topic.handle), partition: partition.partition) }

  /// Reads on at `offset` as soon as the library can be told.
  func restart(at offset: Int64) {
    continuity.interrupt(at: offset)
    needsSeek = true
  }
}
