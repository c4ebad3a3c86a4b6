/// Deletes topics, by name or (version 6) by id.
package struct DeleteTopicsRequest: WireReadable {
  package struct Topic: WireReadable {
    /// Nil: the topic is named by its id.
    package var name: String?
    package var id: TopicID = .zero
  }

  package var topics: [Topic]
  package var timeoutMilliseconds: Int32
}

extension DeleteTopicsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.structures("topics", version)
    timeoutMilliseconds = try reader.int32("timeout_ms")
    try reader.skipTags()
  }
}

extension DeleteTopicsRequest.Topic {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    guard version >= 6 else {
      // Not a structure yet but a plain name, so no tagged fields follow.
      name = try reader.string("topic name")
      return
    }
    name = try reader.nullableString("name")
    id = try reader.topicID("topic_id")
    try reader.skipTags()
  }
}

package struct DeleteTopicsResponse: WireWritable {
  package struct Topic: WireWritable {
    /// Nil is written as "" before version 6.
    package var name: String?
    package var id: TopicID = .zero
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension DeleteTopicsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension DeleteTopicsResponse.Topic {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 6 {
      writer.nullableString(name)
      writer.topicID(id)
    } else {
      writer.string(name ?? "")
    }
    writer.error(errorCode)
    if version >= 5 { writer.nullableString(errorMessage) }
    writer.noTags()
  }
}
