package import NIOCore

/// A member asks to take part in a group's next generation.
package struct JoinGroupRequest: WireReadable {
  package struct ProtocolOffer: WireReadable {
    package var name: String
    package var metadata: ByteBuffer
  }

  package var groupID: String
  package var sessionTimeoutMilliseconds: Int32
  /// -1 in version 0: the session time-out counts.
  package var rebalanceTimeoutMilliseconds: Int32 = -1
  /// Empty at a member's first join.
  package var memberID: String
  package var groupInstanceID: String?
  package var protocolType: String
  /// In the member's order of preference.
  package var protocols: [ProtocolOffer]
  package var reason: String?
}

extension JoinGroupRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    sessionTimeoutMilliseconds = try reader.int32("session_timeout_ms")
    if version >= 1 { rebalanceTimeoutMilliseconds = try reader.int32("rebalance_timeout_ms") }
    memberID = try reader.string("member_id")
    if version >= 5 { groupInstanceID = try reader.nullableString("group_instance_id") }
    protocolType = try reader.string("protocol_type")
    protocols = try reader.structures("protocols", version)
    if version >= 8 { reason = try reader.nullableString("reason") }
    try reader.skipTags()
  }
}

extension JoinGroupRequest.ProtocolOffer {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("protocol name")
    metadata = try reader.bytes("metadata")
    try reader.skipTags()
  }
}

package struct JoinGroupResponse: WireWritable {
  package struct Member: WireWritable {
    package var memberID: String
    package var groupInstanceID: String?
    package var metadata: ByteBuffer
  }

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var generation: Int32 = -1
  package var protocolType: String?
  /// Nil is written as "" before version 7.
  package var protocolName: String?
  package var leader = ""
  /// The leader is told not to assign: a static leader that came back (KIP-814).
  package var skipAssignment = false
  package var memberID = ""
  /// All members for the leader, nobody for the others.
  package var members: [Member] = []
}

extension JoinGroupResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 2 { writer.int32(throttleMilliseconds) }
    writer.error(errorCode)
    writer.int32(generation)
    if version >= 7 {
      writer.nullableString(protocolType)
      writer.nullableString(protocolName)
    } else {
      writer.string(protocolName ?? "")
    }
    writer.string(leader)
    if version >= 9 { writer.bool(skipAssignment) }
    writer.string(memberID)
    writer.structures(members, version)
    writer.noTags()
  }
}

extension JoinGroupResponse.Member {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(memberID)
    if version >= 5 { writer.nullableString(groupInstanceID) }
    writer.bytes(metadata)
    writer.noTags()
  }
}
