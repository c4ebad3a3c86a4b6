package import Core
internal import CRDKafka

/// The ends of a partition's log.
package struct Watermarks: Sendable, Equatable {
  /// The first offset that the log still has.
  package var beginning: Int64
  /// The offset that the next record gets; under read_committed the first one of an open transaction.
  package var end: Int64
}

extension Consumer {
  /// Commits for the group and waits for the coordinator's answer. The offset is the next record to read.
  ///
  /// - Parameter offsets: metadata is text without zero bytes; the coordinator keeps 4,096 bytes of it by default.
  package func commit(_ offsets: [TopicPartition: CommittedOffset]) throws(HeadraceError) {
    let instance = try open()
    guard !offsets.isEmpty else { return }
    let list = RDPartitionList(committing: offsets)
    // Not rd_kafka_commit: it waits for ever.
    let answers = RDQueue(of: instance.client)
    try instance.client.check(
      unsafe rd_kafka_commit_queue(instance.client.handle, list.pointer, answers.handle, nil, nil), while: "commit")
    let timeout = configuration.client.requestTimeoutMilliseconds
    guard let event = unsafe rd_kafka_queue_poll(answers.handle, timeout) else {
      throw instance.client.error(.timedOut, while: "commit offsets")
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    try instance.client.check(unsafe rd_kafka_event_error(event), while: "commit offsets")
    for element in unsafe RDPartitionList.elements(of: rd_kafka_event_topic_partition_list(event))
    where element.code != .none {
      throw instance.client.error(element.code, while: "commit offsets", place: element.partition.description)
    }
  }

  /// What the group has committed. Under read_committed this waits while a transaction holds offsets of the group.
  ///
  /// - Returns: no entry where nothing is committed.
  package func committed(
    _ partitions: [TopicPartition]
  ) throws(HeadraceError) -> [TopicPartition: CommittedOffset] {
    let instance = try open()
    guard !partitions.isEmpty, configuration.groupID != nil else { return [:] }
    var committed: [TopicPartition: CommittedOffset] = [:]
    let client = instance.client
    try client.retrying(within: configuration.client.requestTimeoutMilliseconds) { remaining throws(HeadraceError) in
      let list = RDPartitionList(partitions)
      try client.check(
        unsafe rd_kafka_committed(client.handle, list.pointer, remaining), while: "read the group's offsets")
      for element in list.elements {
        guard element.code == .none else {
          throw client.error(element.code, while: "read the group's offset", place: element.partition.description)
        }
        guard element.offset >= 0 else { continue }
        committed[element.partition] = CommittedOffset(offset: element.offset, metadata: element.metadata)
      }
    }
    return committed
  }

  /// The first offset whose timestamp is not before the given one, in milliseconds since 1970; no entry when there is
  /// none.
  package func offsets(
    forTimes times: [TopicPartition: Int64]
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    try open().client.offsets(
      forTimes: times.mapValues { max($0, 0) },
      timeoutMilliseconds: configuration.client.requestTimeoutMilliseconds)
  }

  package func watermarks(_ partitions: [TopicPartition]) throws(HeadraceError) -> [TopicPartition: Watermarks] {
    try open().client.watermarks(
      of: partitions, timeoutMilliseconds: configuration.client.requestTimeoutMilliseconds)
  }

  /// The number of partitions of a topic.
  package func partitionCount(of topic: String) throws(HeadraceError) -> Int32 {
    try open().client.partitionCount(
      of: topic, timeoutMilliseconds: configuration.client.requestTimeoutMilliseconds)
  }

  /// Who this member is in its group: what a transaction needs to commit offsets, and to be refused when it is a
  /// zombie.
  package func groupMetadata() throws(HeadraceError) -> GroupMetadata {
    guard let pointer = unsafe rd_kafka_consumer_group_metadata(try open().client.handle) else {
      throw HeadraceError(.user, "NO_GROUP", "this consumer is in no group", remedy: "set groupID")
    }
    return unsafe GroupMetadata(takingOwnership: pointer)
  }
}

/// A member of a group at one moment: group, generation, member and instance id.
@safe
package struct GroupMetadata: ~Copyable {
  let pointer: OpaquePointer

  init(takingOwnership pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe rd_kafka_consumer_group_metadata_destroy(pointer) }
}

extension RDClient {
  func watermarks(
    of partitions: [TopicPartition], timeoutMilliseconds: Int32
  ) throws(HeadraceError) -> [TopicPartition: Watermarks] {
    // Not rd_kafka_query_watermark_offsets: one request per partition, and before 2.12 it does not keep its time-out.
    let beginnings = try edges(.beginning, of: partitions, timeoutMilliseconds: timeoutMilliseconds)
    let ends = try edges(.end, of: partitions, timeoutMilliseconds: timeoutMilliseconds)
    var watermarks: [TopicPartition: Watermarks] = [:]
    for (partition, beginning) in beginnings {
      watermarks[partition] = Watermarks(beginning: beginning, end: max(ends[partition] ?? beginning, beginning))
    }
    return watermarks
  }
}

extension RDPartitionList {
  init(committing offsets: [TopicPartition: CommittedOffset]) {
    self.init(capacity: offsets.count)
    for (partition, committed) in offsets {
      add(partition, offset: committed.offset, metadata: committed.metadata)
    }
  }
}
