/// Moves the start of logs forward.
package struct DeleteRecordsRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    /// The first offset to be kept; -1: the high watermark.
    package var offset: Int64
  }

  package var topics: [Topic]
  package var timeoutMilliseconds: Int32
}

extension DeleteRecordsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.structures("topics", version)
    timeoutMilliseconds = try reader.int32("timeout_ms")
    try reader.skipTags()
  }
}

extension DeleteRecordsRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition_index")
    offset = try reader.int64("offset")
    try reader.skipTags()
  }
}

package struct DeleteRecordsResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var index: Int32
    package var lowWatermark: Int64 = -1
    package var errorCode: ErrorCode = .none
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension DeleteRecordsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension DeleteRecordsResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.int64(lowWatermark)
    writer.error(errorCode)
    writer.noTags()
  }
}
