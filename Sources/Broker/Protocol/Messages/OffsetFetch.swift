/// Asks for the committed offsets of groups. Before version 8 there is exactly one group; it is read as a list of one.
package struct OffsetFetchRequest: WireReadable {
  package struct Group: WireReadable {
    package var groupID: String
    /// Nil: all topics that the group has offsets for.
    package var topics: [TopicEntry<Int32>]?
  }

  package var groups: [Group]
  /// Answer 88 (`unstableOffsetCommit`) while a transaction holds offsets of a partition (KIP-447).
  package var requireStable = false
}

extension OffsetFetchRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    if version >= 8 {
      groups = try reader.structures("groups", version)
    } else {
      let groupID = try reader.string("group_id")
      let topics: [TopicEntry<Int32>]? =
        try version >= 2 ? reader.nullableStructures("topics", version) : reader.structures("topics", version)
      groups = [Group(groupID: groupID, topics: topics)]
    }
    if version >= 7 { requireStable = try reader.bool("require_stable") }
    try reader.skipTags()
  }
}

extension OffsetFetchRequest.Group {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    topics = try reader.nullableStructures("topics", version)
    try reader.skipTags()
  }
}

/// Versions before 8 write the first group only. Version 1 has no error of the group: its partitions must carry it.
package struct OffsetFetchResponse: WireWritable {
  package struct Group: WireWritable {
    package var groupID: String
    package var topics: [TopicEntry<Partition>] = []
    package var errorCode: ErrorCode = .none
  }

  package struct Partition: WireWritable {
    package var index: Int32
    /// -1: nothing is committed.
    package var committedOffset: Int64 = -1
    package var committedLeaderEpoch: Int32 = -1
    package var metadata: String? = ""
    package var errorCode: ErrorCode = .none
  }

  package var throttleMilliseconds: Int32 = 0
  package var groups: [Group]
}

extension OffsetFetchResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 3 { writer.int32(throttleMilliseconds) }
    if version >= 8 {
      writer.structures(groups, version)
    } else {
      writer.structures(groups.first?.topics ?? [], version)
      if version >= 2 { writer.error(groups.first?.errorCode ?? .none) }
    }
    writer.noTags()
  }
}

extension OffsetFetchResponse.Group {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(groupID)
    writer.structures(topics, version)
    writer.error(errorCode)
    writer.noTags()
  }
}

extension OffsetFetchResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.int64(committedOffset)
    if version >= 5 { writer.int32(committedLeaderEpoch) }
    writer.nullableString(metadata)
    writer.error(errorCode)
    writer.noTags()
  }
}
