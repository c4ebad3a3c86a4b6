/// Stores a group's positions.
package struct OffsetCommitRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    package var committedOffset: Int64
    package var committedLeaderEpoch: Int32 = -1
    package var committedMetadata: String?
  }

  package var groupID: String
  /// -1 with an empty `memberID`: a commit from outside of the group's membership.
  package var generation: Int32
  package var memberID: String
  package var groupInstanceID: String?
  /// Versions 2...4 only; -1: the broker's default.
  package var retentionMilliseconds: Int64 = -1
  package var topics: [Topic]
}

extension OffsetCommitRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    generation = try reader.int32("generation_id")
    memberID = try reader.string("member_id")
    if version >= 7 { groupInstanceID = try reader.nullableString("group_instance_id") }
    if 2...4 ~= version { retentionMilliseconds = try reader.int64("retention_time_ms") }
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

extension OffsetCommitRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition_index")
    committedOffset = try reader.int64("committed_offset")
    if version >= 6 { committedLeaderEpoch = try reader.int32("committed_leader_epoch") }
    committedMetadata = try reader.nullableString("committed_metadata")
    try reader.skipTags()
  }
}

package struct OffsetCommitResponse: WireWritable {
  package typealias Topic = TopicEntry<PartitionError>

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension OffsetCommitResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 3 { writer.int32(throttleMilliseconds) }
    writer.structures(topics, version)
    writer.noTags()
  }
}
