internal import CRDKafka

/// The brokers and topics of a cluster, as one of its brokers sees them.
package struct ClusterDescription: Sendable, Equatable {
  package var brokers: [Broker]
  package var controllerID: Int32?
  package var topics: [Topic]

  package struct Broker: Sendable, Equatable {
    package var id: Int32
    package var host: String
    package var port: Int32
  }

  package struct Topic: Sendable, Equatable {
    package var name: String
    package var partitions: [Partition]
    /// Why the topic is not to be had; nil when all is well.
    package var error: KafkaErrorCode?
  }

  package struct Partition: Sendable, Equatable {
    package var id: Int32
    /// nil while an election is open.
    package var leader: Int32?
    package var replicas: [Int32]
    package var inSyncReplicas: [Int32]
    package var error: KafkaErrorCode?
  }
}

extension ClusterDescription {
  init(_ metadata: rd_kafka_metadata) {
    let brokers = unsafe UnsafeBufferPointer(start: metadata.brokers, count: Int(max(metadata.broker_cnt, 0)))
    let topics = unsafe UnsafeBufferPointer(start: metadata.topics, count: Int(max(metadata.topic_cnt, 0)))
    self.init(
      brokers: unsafe brokers.map { broker in
        unsafe Broker(id: broker.id, host: broker.host.map { unsafe String(cString: $0) } ?? "", port: broker.port)
      }.sorted { $0.id < $1.id },
      controllerID: nil,
      topics: unsafe topics.map { unsafe Topic($0) }.sorted { $0.name < $1.name })
  }
}

extension ClusterDescription.Topic {
  fileprivate init(_ topic: rd_kafka_metadata_topic) {
    let partitions = unsafe UnsafeBufferPointer(start: topic.partitions, count: Int(max(topic.partition_cnt, 0)))
    unsafe self.init(
      name: topic.topic.map { unsafe String(cString: $0) } ?? "",
      partitions: partitions.map { unsafe ClusterDescription.Partition($0) }.sorted { $0.id < $1.id },
      error: KafkaErrorCode(orNil: topic.err))
  }
}

extension ClusterDescription.Partition {
  fileprivate init(_ partition: rd_kafka_metadata_partition) {
    let replicas = unsafe UnsafeBufferPointer(start: partition.replicas, count: Int(max(partition.replica_cnt, 0)))
    let inSync = unsafe UnsafeBufferPointer(start: partition.isrs, count: Int(max(partition.isr_cnt, 0)))
    unsafe self.init(
      id: partition.id, leader: partition.leader >= 0 ? partition.leader : nil, replicas: Array(replicas),
      inSyncReplicas: Array(inSync), error: KafkaErrorCode(orNil: partition.err))
  }
}

extension KafkaErrorCode {
  /// nil for "no error".
  init?(orNil code: rd_kafka_resp_err_t) {
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    self.init(code)
  }
}
