/// Stores a group's positions when the producer's open transaction commits.
package struct TxnOffsetCommitRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    package var committedOffset: Int64
    package var committedLeaderEpoch: Int32 = -1
    package var committedMetadata: String?
  }

  package var transactionalID: String
  package var groupID: String
  package var producerID: Int64
  package var producerEpoch: Int16
  /// -1 with an empty `memberID`: no membership is claimed (before KIP-447).
  package var generation: Int32 = -1
  package var memberID = ""
  package var groupInstanceID: String?
  package var topics: [Topic]
}

extension TxnOffsetCommitRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalID = try reader.string("transactional_id")
    groupID = try reader.string("group_id")
    producerID = try reader.int64("producer_id")
    producerEpoch = try reader.int16("producer_epoch")
    if version >= 3 {
      generation = try reader.int32("generation_id")
      memberID = try reader.string("member_id")
      groupInstanceID = try reader.nullableString("group_instance_id")
    }
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

extension TxnOffsetCommitRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition_index")
    committedOffset = try reader.int64("committed_offset")
    if version >= 2 { committedLeaderEpoch = try reader.int32("committed_leader_epoch") }
    committedMetadata = try reader.nullableString("committed_metadata")
    try reader.skipTags()
  }
}

package struct TxnOffsetCommitResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var topics: [TopicEntry<PartitionError>]
}

extension TxnOffsetCommitResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}
