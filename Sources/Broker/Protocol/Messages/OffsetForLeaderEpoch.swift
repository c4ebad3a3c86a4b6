/// Asks where a leader epoch ends, to notice a truncated log (KIP-320).
package struct OffsetForLeaderEpochRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    package var currentLeaderEpoch: Int32
    package var leaderEpoch: Int32
  }

  /// -2 (a debugging consumer) in version 2, -1 from consumers.
  package var replicaID: Int32 = -2
  package var topics: [Topic]
}

extension OffsetForLeaderEpochRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    if version >= 3 { replicaID = try reader.int32("replica_id") }
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

extension OffsetForLeaderEpochRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition")
    currentLeaderEpoch = try reader.int32("current_leader_epoch")
    leaderEpoch = try reader.int32("leader_epoch")
    try reader.skipTags()
  }
}

package struct OffsetForLeaderEpochResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var errorCode: ErrorCode = .none
    package var index: Int32
    package var leaderEpoch: Int32 = -1
    package var endOffset: Int64 = -1
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension OffsetForLeaderEpochResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension OffsetForLeaderEpochResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.int32(index)
    writer.int32(leaderEpoch)
    writer.int64(endOffset)
    writer.noTags()
  }
}
