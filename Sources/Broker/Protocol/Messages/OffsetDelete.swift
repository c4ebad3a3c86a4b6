/// Forgets a group's offsets of single partitions (KIP-496).
package struct OffsetDeleteRequest: WireReadable {
  package var groupID: String
  package var topics: [TopicEntry<Int32>]
}

extension OffsetDeleteRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    topics = try reader.structures("topics", version)
  }
}

package struct OffsetDeleteResponse: WireWritable {
  package var errorCode: ErrorCode = .none
  package var throttleMilliseconds: Int32 = 0
  package var topics: [TopicEntry<PartitionError>] = []
}

extension OffsetDeleteResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
  }
}
