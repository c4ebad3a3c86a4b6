/// Asks which topics there are, and where their partitions are led.
package struct MetadataRequest: WireReadable {
  package struct Topic: WireReadable {
    package var id: TopicID = .zero
    /// Nil only when the topic is asked for by id (version 10 and newer).
    package var name: String?
  }

  /// Nil: all topics. Version 0 says that by an empty list, which is read as nil.
  package var topics: [Topic]?
  package var allowAutoTopicCreation = true
  package var includeClusterAuthorizedOperations = false
  package var includeTopicAuthorizedOperations = false
}

extension MetadataRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.nullableStructures("topics", version)
    if version == 0, topics?.isEmpty == true { topics = nil }
    if version >= 4 { allowAutoTopicCreation = try reader.bool("allow_auto_topic_creation") }
    if 8...10 ~= version {
      includeClusterAuthorizedOperations = try reader.bool("include_cluster_authorized_operations")
    }
    if version >= 8 { includeTopicAuthorizedOperations = try reader.bool("include_topic_authorized_operations") }
    try reader.skipTags()
  }
}

extension MetadataRequest.Topic {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    if version >= 10 { id = try reader.topicID("topic_id") }
    name = try version >= 10 ? reader.nullableString("name") : reader.string("name")
    try reader.skipTags()
  }
}

package struct MetadataResponse: WireWritable {
  package struct Broker: WireWritable {
    package var nodeID: Int32
    package var host: String
    package var port: Int32
    package var rack: String?
  }

  package struct Topic: WireWritable {
    package var errorCode: ErrorCode = .none
    /// Nil only for an id that is unknown (version 12 and newer); older versions say "".
    package var name: String?
    package var id: TopicID = .zero
    package var isInternal = false
    package var partitions: [Partition] = []
    package var authorizedOperations = unknownAuthorizedOperations
  }

  package struct Partition: WireWritable {
    package var errorCode: ErrorCode = .none
    package var index: Int32
    package var leaderID: Int32
    package var leaderEpoch: Int32 = -1
    package var replicaNodes: [Int32]
    package var isrNodes: [Int32]
    package var offlineReplicas: [Int32] = []
  }

  package var throttleMilliseconds: Int32 = 0
  package var brokers: [Broker]
  package var clusterID: String?
  package var controllerID: Int32 = -1
  package var topics: [Topic]
  package var clusterAuthorizedOperations = unknownAuthorizedOperations
}

extension MetadataResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 3 { writer.int32(throttleMilliseconds) }
    writer.structures(brokers, version)
    if version >= 2 { writer.nullableString(clusterID) }
    if version >= 1 { writer.int32(controllerID) }
    writer.structures(topics, version)
    if 8...10 ~= version { writer.int32(clusterAuthorizedOperations) }
    writer.noTags()
  }
}

extension MetadataResponse.Broker {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(nodeID)
    writer.string(host)
    writer.int32(port)
    if version >= 1 { writer.nullableString(rack) }
    writer.noTags()
  }
}

extension MetadataResponse.Topic {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    if version >= 12 { writer.nullableString(name) } else { writer.string(name ?? "") }
    if version >= 10 { writer.topicID(id) }
    if version >= 1 { writer.bool(isInternal) }
    writer.structures(partitions, version)
    if version >= 8 { writer.int32(authorizedOperations) }
    writer.noTags()
  }
}

extension MetadataResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.int32(index)
    writer.int32(leaderID)
    if version >= 7 { writer.int32(leaderEpoch) }
    writer.int32s(replicaNodes)
    writer.int32s(isrNodes)
    if version >= 5 { writer.int32s(offlineReplicas) }
    writer.noTags()
  }
}
