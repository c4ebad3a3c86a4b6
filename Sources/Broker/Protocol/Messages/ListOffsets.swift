/// Asks for the offset that belongs to a timestamp, or for either end of a log.
package struct ListOffsetsRequest: WireReadable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireReadable {
    package var index: Int32
    package var currentLeaderEpoch: Int32 = -1
    /// Milliseconds since 1970, or -1 latest, -2 earliest, -3 the record with the greatest timestamp (KIP-734, from
    /// version 7 on).
    package var timestampMilliseconds: Int64
  }

  package var replicaID: Int32
  package var isolationLevel = IsolationLevel.readUncommitted
  package var topics: [Topic]
}

extension ListOffsetsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    replicaID = try reader.int32("replica_id")
    if version >= 2 { isolationLevel = try reader.isolationLevel("isolation_level") }
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

extension ListOffsetsRequest.Partition {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    index = try reader.int32("partition_index")
    if version >= 4 { currentLeaderEpoch = try reader.int32("current_leader_epoch") }
    timestampMilliseconds = try reader.int64("timestamp")
    try reader.skipTags()
  }
}

package struct ListOffsetsResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var index: Int32
    package var errorCode: ErrorCode = .none
    package var timestampMilliseconds: Int64 = -1
    package var offset: Int64 = -1
    package var leaderEpoch: Int32 = -1
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension ListOffsetsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 2 { writer.int32(throttleMilliseconds) }
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension ListOffsetsResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.error(errorCode)
    writer.int64(timestampMilliseconds)
    writer.int64(offset)
    if version >= 4 { writer.int32(leaderEpoch) }
    writer.noTags()
  }
}
