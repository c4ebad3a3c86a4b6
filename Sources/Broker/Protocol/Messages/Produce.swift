package import NIOCore

/// Record batches to be appended, by topic and partition.
package struct ProduceRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    /// Record batches one after the other, shared with the frame; not checked here.
    package var records: ByteBuffer?
  }

  package var transactionalID: String?
  /// 0: no answer is expected, 1: the leader's append, -1: that of all in-sync replicas.
  package var acks: Int16
  package var timeoutMilliseconds: Int32
  package var topics: [Topic]
}

extension ProduceRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    guard version >= 3 else { throw reader.error(.unsupportedVersion(.produce, version), "request_api_version") }
    transactionalID = try reader.nullableString("transactional_id")
    acks = try reader.int16("acks")
    timeoutMilliseconds = try reader.int32("timeout_ms")
    topics = try reader.structures("topic_data", version)
    try reader.skipTags()
  }
}

extension ProduceRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("index")
    records = try reader.nullableBytes("records")
    try reader.skipTags()
  }
}

package struct ProduceResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var index: Int32
    package var errorCode: ErrorCode = .none
    /// The offset of the batch's first record; -1 on error.
    package var baseOffset: Int64 = -1
    /// -1 unless the topic's timestamps are those of the append.
    package var logAppendTimeMilliseconds: Int64 = -1
    package var logStartOffset: Int64 = -1
    package var recordErrors: [RecordError] = []
    package var errorMessage: String?
  }

  /// A record that made its whole batch be refused.
  package struct RecordError: WireWritable {
    /// The record's place in the batch.
    package var batchIndex: Int32
    package var message: String?
  }

  package var topics: [Topic]
  package var throttleMilliseconds: Int32 = 0
}

extension ProduceResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.structures(topics, version)
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.noTags()
  }
}

extension ProduceResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.error(errorCode)
    writer.int64(baseOffset)
    if version >= 2 { writer.int64(logAppendTimeMilliseconds) }
    if version >= 5 { writer.int64(logStartOffset) }
    if version >= 8 {
      writer.structures(recordErrors, version)
      writer.nullableString(errorMessage)
    }
    writer.noTags()
  }
}

extension ProduceResponse.RecordError {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(batchIndex)
    writer.nullableString(message)
    writer.noTags()
  }
}
