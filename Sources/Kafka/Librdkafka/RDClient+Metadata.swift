internal import CRDKafka
internal import Core

extension RDClient {
  /// What the cluster says about its brokers and about one topic, or about all.
  func describeCluster(topic: String?, timeoutMilliseconds: Int32) throws(HeadraceError) -> ClusterDescription {
    var description = ClusterDescription(brokers: [], controllerID: nil, topics: [])
    try retrying(within: timeoutMilliseconds) { remainingMilliseconds throws(HeadraceError) in
      let topicHandle = try topic.map { name throws(HeadraceError) in try RDTopic(name, of: self) }
      var answer: UnsafePointer<rd_kafka_metadata>?
      let code = unsafe rd_kafka_metadata(
        handle, topic == nil ? 1 : 0, topicHandle?.handle, &answer, remainingMilliseconds)
      try check(code, while: "describe the cluster", place: topic)
      guard let metadata = unsafe answer else { return }
      defer { unsafe rd_kafka_metadata_destroy(metadata) }
      description = unsafe ClusterDescription(metadata.pointee)
    }
    return description
  }

  /// - Throws: `UNKNOWN_TOPIC_OR_PART` when there is no such topic.
  func partitionCount(of topic: String, timeoutMilliseconds: Int32) throws(HeadraceError) -> Int32 {
    var count: Int32 = 0
    try retrying(within: timeoutMilliseconds) { remainingMilliseconds throws(HeadraceError) in
      let cluster = try describeCluster(topic: topic, timeoutMilliseconds: remainingMilliseconds)
      let description = cluster.topics.first { $0.name == topic }
      let code = description?.error ?? (description == nil ? .unknownTopicOrPartition : KafkaErrorCode.none)
      guard code == .none else { throw error(code, while: "describe the topic", place: topic) }
      count = Int32(clamping: description?.partitions.count ?? 0)
    }
    return count
  }
}

/// A topic's handle: while it lives, every record of the topic carries the same one.
@safe
final class RDTopic {
  let handle: OpaquePointer
  // The library wants its children freed before it.
  private let client: RDClient

  init(_ name: String, of client: RDClient) throws(HeadraceError) {
    guard let handle = unsafe rd_kafka_topic_new(client.handle, name, nil) else {
      throw HeadraceError(KafkaErrorCode(rd_kafka_last_error()), while: "use the topic", place: name)
    }
    unsafe self.handle = unsafe handle
    self.client = client
  }

  deinit { unsafe rd_kafka_topic_destroy(handle) }
}

/// A queue of the library on which answers or records arrive. The library locks it, so any thread may use it.
@safe
final class RDQueue: @unchecked Sendable {
  // Unchecked: the library's queues are thread-safe.
  let handle: OpaquePointer
  private let client: RDClient

  /// A new, empty queue.
  init(of client: RDClient) {
    unsafe handle = rd_kafka_queue_new(client.handle)
    self.client = client
  }

  /// The queue on which a consumer's records and callbacks arrive.
  init?(consumer client: RDClient) {
    guard let queue = unsafe rd_kafka_queue_get_consumer(client.handle) else { return nil }
    unsafe handle = unsafe queue
    self.client = client
  }

  deinit { unsafe rd_kafka_queue_destroy(handle) }

  /// Ends a wait on this queue before its time, from any thread.
  func wake() { unsafe rd_kafka_queue_yield(handle) }
}
