package struct CreateTopicsRequest: WireReadable {
  package struct Topic: WireReadable {
    package var name: String
    /// -1: the broker's default, or `assignments` say it.
    package var partitionCount: Int32
    /// -1: the broker's default, or `assignments` say it.
    package var replicationFactor: Int16
    package var assignments: [Assignment]
    package var configs: [ConfigEntry]
  }

  package struct Assignment: WireReadable {
    package var partition: Int32
    package var brokerIDs: [Int32]
  }

  package var topics: [Topic]
  package var timeoutMilliseconds: Int32
  package var validateOnly: Bool
}

/// A configuration's name and value; a nil value means the default.
package struct ConfigEntry: WireReadable {
  package var name: String
  package var value: String?

  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("config name")
    value = try reader.nullableString("config value")
    try reader.skipTags()
  }
}

extension CreateTopicsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.structures("topics", version)
    timeoutMilliseconds = try reader.int32("timeout_ms")
    validateOnly = try reader.bool("validate_only")
    try reader.skipTags()
  }
}

extension CreateTopicsRequest.Topic {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("name")
    partitionCount = try reader.int32("num_partitions")
    replicationFactor = try reader.int16("replication_factor")
    assignments = try reader.structures("assignments", version)
    configs = try reader.structures("configs", version)
    try reader.skipTags()
  }
}

extension CreateTopicsRequest.Assignment {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    partition = try reader.int32("partition_index")
    brokerIDs = try reader.int32s("broker_ids")
    try reader.skipTags()
  }
}

package struct CreateTopicsResponse: WireWritable {
  package struct Topic: WireWritable {
    package var name: String
    package var id: TopicID = .zero
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
    package var partitionCount: Int32 = -1
    package var replicationFactor: Int16 = -1
    /// Nil: not told.
    package var configs: [Config]?
  }

  package struct Config: WireWritable {
    package var name: String
    package var value: String?
    package var isReadOnly = false
    package var source = ConfigSource.unknown
    package var isSensitive = false
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension CreateTopicsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension CreateTopicsResponse.Topic {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    if version >= 7 { writer.topicID(id) }
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    if version >= 5 {
      writer.int32(partitionCount)
      writer.int16(replicationFactor)
      writer.nullableStructures(configs, version)
    }
    writer.noTags()
  }
}

extension CreateTopicsResponse.Config {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    writer.nullableString(value)
    writer.bool(isReadOnly)
    writer.int8(source.rawValue)
    writer.bool(isSensitive)
    writer.noTags()
  }
}
