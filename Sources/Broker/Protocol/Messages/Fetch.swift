package import NIOCore

/// Asks for record batches from given offsets on.
package struct FetchRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    package var currentLeaderEpoch: Int32 = -1
    package var fetchOffset: Int64
    package var lastFetchedEpoch: Int32 = -1
    /// The follower's log start; -1 from consumers.
    package var logStartOffset: Int64 = -1
    package var maxBytes: Int32
  }

  /// Partitions to be dropped from the fetch session (KIP-227).
  package typealias ForgottenTopic = TopicEntry<Int32>

  /// -1 from consumers.
  package var replicaID: Int32
  package var maxWaitMilliseconds: Int32
  package var minBytes: Int32
  package var maxBytes: Int32
  package var isolationLevel: IsolationLevel
  package var sessionID: Int32 = 0
  package var sessionEpoch: Int32 = -1
  package var topics: [Topic]
  package var forgottenTopics: [ForgottenTopic] = []
  package var rackID: String = ""
}

extension FetchRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    replicaID = try reader.int32("replica_id")
    maxWaitMilliseconds = try reader.int32("max_wait_ms")
    minBytes = try reader.int32("min_bytes")
    maxBytes = try reader.int32("max_bytes")
    isolationLevel = try reader.isolationLevel("isolation_level")
    if version >= 7 {
      sessionID = try reader.int32("session_id")
      sessionEpoch = try reader.int32("session_epoch")
    }
    topics = try reader.structures("topics", version)
    if version >= 7 { forgottenTopics = try reader.structures("forgotten_topics_data", version) }
    if version >= 11 { rackID = try reader.string("rack_id") }
    try reader.skipTags()
  }
}

extension FetchRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition")
    if version >= 9 { currentLeaderEpoch = try reader.int32("current_leader_epoch") }
    fetchOffset = try reader.int64("fetch_offset")
    if version >= 12 { lastFetchedEpoch = try reader.int32("last_fetched_epoch") }
    if version >= 5 { logStartOffset = try reader.int64("log_start_offset") }
    maxBytes = try reader.int32("partition_max_bytes")
    try reader.skipTags()
  }
}

package struct FetchResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var index: Int32
    package var errorCode: ErrorCode = .none
    package var highWatermark: Int64 = -1
    package var lastStableOffset: Int64 = -1
    package var logStartOffset: Int64 = -1
    /// Where this log's last epoch in common with the fetcher ends (KIP-595); only to be told from version 12 on.
    package var divergingEpoch: DivergingEpoch?
    /// For `readCommitted` readers, by first offset; nil for others.
    package var abortedTransactions: [AbortedTransaction]?
    package var preferredReadReplica: Int32 = -1
    /// Record batches as they lie in the log; the pieces are sent one after the other and not copied.
    package var records: [ByteBuffer] = []
  }

  package struct DivergingEpoch: Sendable {
    package var epoch: Int32
    package var endOffset: Int64
  }

  package struct AbortedTransaction: WireWritable {
    package var producerID: Int64
    package var firstOffset: Int64
  }

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  /// 0: no fetch session was made (KIP-227).
  package var sessionID: Int32 = 0
  package var topics: [Topic] = []
}

extension FetchResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    if version >= 7 {
      writer.error(errorCode)
      writer.int32(sessionID)
    }
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension FetchResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.error(errorCode)
    writer.int64(highWatermark)
    writer.int64(lastStableOffset)
    if version >= 5 { writer.int64(logStartOffset) }
    writer.nullableStructures(abortedTransactions, version)
    if version >= 11 { writer.int32(preferredReadReplica) }
    writer.chunks(records)
    if let divergingEpoch {
      writer.tag(0) { writer in
        writer.int32(divergingEpoch.epoch)
        writer.int64(divergingEpoch.endOffset)
        writer.noTags()
      }
    } else {
      writer.noTags()
    }
  }
}

extension FetchResponse.AbortedTransaction {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int64(producerID)
    writer.int64(firstOffset)
    writer.noTags()
  }
}
