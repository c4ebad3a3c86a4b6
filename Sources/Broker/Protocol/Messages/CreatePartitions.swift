/// Adds partitions to topics.
package struct CreatePartitionsRequest: WireReadable {
  package struct Topic: WireReadable {
    package var name: String
    /// How many partitions the topic is to have in all.
    package var count: Int32
    /// Nil: the broker assigns replicas.
    package var assignments: [Assignment]?
  }

  package struct Assignment: WireReadable {
    package var brokerIDs: [Int32]
  }

  package var topics: [Topic]
  package var timeoutMilliseconds: Int32
  package var validateOnly: Bool
}

extension CreatePartitionsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.structures("topics", version)
    timeoutMilliseconds = try reader.int32("timeout_ms")
    validateOnly = try reader.bool("validate_only")
    try reader.skipTags()
  }
}

extension CreatePartitionsRequest.Topic {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("name")
    count = try reader.int32("count")
    assignments = try reader.nullableStructures("assignments", version)
    try reader.skipTags()
  }
}

extension CreatePartitionsRequest.Assignment {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    brokerIDs = try reader.int32s("broker_ids")
    try reader.skipTags()
  }
}

package struct CreatePartitionsResponse: WireWritable {
  package struct Topic: WireWritable {
    package var name: String
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension CreatePartitionsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension CreatePartitionsResponse.Topic {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.noTags()
  }
}
