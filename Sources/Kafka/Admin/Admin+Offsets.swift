package import Core
internal import CRDKafka

extension Admin {
  /// What a group has committed. Waits while a transaction holds offsets of the group.
  ///
  /// - Parameter partitions: nil: all of which the coordinator knows an offset.
  package func committed(
    group: String, partitions: [TopicPartition]? = nil
  ) throws(HeadraceError) -> [TopicPartition: CommittedOffset] {
    guard let object = unsafe Self.offsetsRequest(group, partitions) else { return [:] }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, while: "read the group's offsets") {
      options, answers in
      if let error = unsafe rd_kafka_AdminOptions_set_require_stable_offsets(options, 1) {
        unsafe rd_kafka_error_destroy(error)
      }
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_ListConsumerGroupOffsets_destroy($0) }) {
        array, count in
        unsafe rd_kafka_ListConsumerGroupOffsets(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(answer.pointer), &count)
    var committed: [TopicPartition: CommittedOffset] = [:]
    for element in unsafe try groupPartitions(results, count, while: "read the group's offsets")
    where element.offset >= 0 {
      committed[element.partition] = CommittedOffset(offset: element.offset, metadata: element.metadata)
    }
    return committed
  }

  private static func offsetsRequest(_ group: String, _ partitions: [TopicPartition]?) -> OpaquePointer? {
    guard let partitions else { return unsafe rd_kafka_ListConsumerGroupOffsets_new(group, nil) }
    let list = RDPartitionList(partitions)
    return unsafe rd_kafka_ListConsumerGroupOffsets_new(group, list.pointer)
  }

  /// Sets a group's offsets. The group must have no member.
  package func setOffsets(
    _ offsets: [TopicPartition: CommittedOffset], group: String
  ) throws(HeadraceError) {
    guard !offsets.isEmpty else { return }
    let list = RDPartitionList(committing: offsets)
    guard let object = unsafe rd_kafka_AlterConsumerGroupOffsets_new(group, list.pointer) else { return }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, while: "set the group's offsets") {
      options, answers in
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_AlterConsumerGroupOffsets_destroy($0) }) {
        array, count in
        unsafe rd_kafka_AlterConsumerGroupOffsets(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(answer.pointer), &count)
    _ = unsafe try groupPartitions(results, count, while: "set the group's offsets")
  }

  /// Moves a group to the beginning, the end, a time or given offsets of partitions. The group must have no member.
  ///
  /// - Returns: the offsets that are committed now.
  @discardableResult
  package func resetOffsets(
    group: String, to starts: [TopicPartition: StartOffset]
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    var times: [TopicPartition: Int64] = [:]
    for (partition, start) in starts {
      switch start {
      case .offset(let offset): offsets[partition] = offset
      case .beginning: times[partition] = RDClient.LogEdge.beginning.rawValue
      case .end: times[partition] = RDClient.LogEdge.end.rawValue
      case .time(let milliseconds): times[partition] = max(milliseconds, 0)
      case .committed: continue
      }
    }
    offsets.merge(try client.startOffsets(times, timeoutMilliseconds: configuration.requestTimeoutMilliseconds)) {
      first, _ in first
    }
    try setOffsets(offsets.mapValues { CommittedOffset(offset: $0) }, group: group)
    return offsets
  }

  /// The ends of logs. Only what transactions have committed counts.
  package func watermarks(_ partitions: [TopicPartition]) throws(HeadraceError) -> [TopicPartition: Watermarks] {
    try client.watermarks(of: partitions, timeoutMilliseconds: configuration.requestTimeoutMilliseconds)
  }

  /// The first offset whose timestamp is not before the given one, in milliseconds since 1970; no entry when there is
  /// none.
  package func offsets(
    forTimes times: [TopicPartition: Int64]
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    try client.offsets(
      forTimes: times.mapValues { max($0, 0) }, timeoutMilliseconds: configuration.requestTimeoutMilliseconds)
  }

  /// The partitions of the one group that was asked for; throws its error, or that of its first partition.
  private func groupPartitions(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, while activity: String
  ) throws(HeadraceError) -> [RDPartitionList.Element] {
    if let error = unsafe Self.groupFailures(results, count, while: activity).values.first { throw error }
    guard count > 0, let result = unsafe results?[0] else { return [] }
    let elements = unsafe RDPartitionList.elements(of: rd_kafka_group_result_partitions(result))
    for element in elements where element.code != .none {
      throw client.error(element.code, while: activity, place: element.partition.description)
    }
    return elements
  }
}
