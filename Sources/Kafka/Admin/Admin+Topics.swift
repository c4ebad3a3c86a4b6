package import Core
internal import CRDKafka

/// A topic to create.
package struct NewTopic: Sendable, Equatable {
  package var name: String
  package var partitionCount: Int32
  package var replicationFactor: Int32
  /// Topic properties by name: `retention.ms`, `cleanup.policy`.
  package var configuration: [String: String]

  package init(
    name: String, partitionCount: Int32, replicationFactor: Int32 = 1, configuration: [String: String] = [:]
  ) {
    self.name = name
    self.partitionCount = partitionCount
    self.replicationFactor = replicationFactor
    self.configuration = configuration
  }
}

extension Admin {
  /// - Returns: the topics that were not created, with the reason.
  package func createTopics(_ topics: [NewTopic]) throws(HeadraceError) -> [String: HeadraceError] {
    guard !topics.isEmpty else { return [:] }
    var objects: [OpaquePointer] = unsafe []
    for topic in topics {
      let (object, text) = unsafe CStrings.explained {
        unsafe rd_kafka_NewTopic_new(topic.name, topic.partitionCount, topic.replicationFactor, $0, $1)
      }
      guard let object = unsafe object else {
        unsafe objects.forEach { unsafe rd_kafka_NewTopic_destroy($0) }
        throw HeadraceError(.invalidArgument, "create topics: \(text)", place: topic.name)
      }
      unsafe objects.append(object)
      for (name, value) in topic.configuration { unsafe rd_kafka_NewTopic_set_config(object, name, value) }
    }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_CREATETOPICS, while: "create topics") { options, answers in
      unsafe Self.withObjects(objects, destroy: { unsafe rd_kafka_NewTopic_destroy($0) }) { array, count in
        unsafe rd_kafka_CreateTopics(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(answer.pointer), &count)
    return unsafe Self.topicFailures(results, count, while: "create the topic")
  }

  /// - Throws: `TOPIC_ALREADY_EXISTS`, among others.
  package func createTopic(_ topic: NewTopic) throws(HeadraceError) {
    if let error = try createTopics([topic]).values.first { throw error }
  }

  /// - Returns: the topics that were not deleted, with the reason.
  package func deleteTopics(_ names: [String]) throws(HeadraceError) -> [String: HeadraceError] {
    guard !names.isEmpty else { return [:] }
    let objects = unsafe names.compactMap { unsafe rd_kafka_DeleteTopic_new($0) }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_DELETETOPICS, while: "delete topics") { options, answers in
      unsafe Self.withObjects(objects, destroy: { unsafe rd_kafka_DeleteTopic_destroy($0) }) { array, count in
        unsafe rd_kafka_DeleteTopics(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_DeleteTopics_result_topics(
      rd_kafka_event_DeleteTopics_result(answer.pointer), &count)
    return unsafe Self.topicFailures(results, count, while: "delete the topic")
  }

  /// Grows a topic. Keys change their partition: keyed state downstream must be rebuilt.
  package func createPartitions(topic: String, totalCount: Int) throws(HeadraceError) {
    let (object, text) = unsafe CStrings.explained {
      unsafe rd_kafka_NewPartitions_new(topic, totalCount, $0, $1)
    }
    guard let object = unsafe object else {
      throw HeadraceError(.invalidArgument, "add partitions: \(text)", place: topic)
    }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, while: "add partitions") { options, answers in
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_NewPartitions_destroy($0) }) { array, count in
        unsafe rd_kafka_CreatePartitions(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(answer.pointer), &count)
    if let error = unsafe Self.topicFailures(results, count, while: "add partitions").values.first { throw error }
  }

  /// Forgets the records before each offset.
  ///
  /// - Returns: where each log begins now.
  package func deleteRecords(before offsets: [TopicPartition: Int64]) throws(HeadraceError) -> [TopicPartition: Int64] {
    guard !offsets.isEmpty else { return [:] }
    let list = RDPartitionList(offsets)
    let pointer = unsafe OpaquePointer?.some(rd_kafka_DeleteRecords_new(list.pointer))
    guard let object = unsafe pointer else { return [:] }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_DELETERECORDS, while: "delete records") { options, answers in
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_DeleteRecords_destroy($0) }) { array, count in
        unsafe rd_kafka_DeleteRecords(client.handle, array, count, options, answers)
      }
    }
    let results = unsafe rd_kafka_DeleteRecords_result_offsets(
      rd_kafka_event_DeleteRecords_result(answer.pointer))
    var beginnings: [TopicPartition: Int64] = [:]
    for element in unsafe RDPartitionList.elements(of: results) {
      guard element.code == .none else {
        throw client.error(element.code, while: "delete records", place: element.partition.description)
      }
      beginnings[element.partition] = element.offset
    }
    return beginnings
  }

  /// All topics, or one, with their partitions; the cluster's brokers beside them.
  package func describeCluster(topic: String? = nil) throws(HeadraceError) -> ClusterDescription {
    try client.describeCluster(topic: topic, timeoutMilliseconds: configuration.requestTimeoutMilliseconds)
  }

  private static func topicFailures(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, while activity: String
  ) -> [String: HeadraceError] {
    unsafe failures(results, count, while: activity) { result in
      unsafe (
        rd_kafka_topic_result_name(result), rd_kafka_topic_result_error(result),
        rd_kafka_topic_result_error_string(result)
      )
    }
  }
}
