/// Members leave a group. Before version 3 exactly one does; it is read as a list of one.
package struct LeaveGroupRequest: WireReadable {
  package struct Member: WireReadable {
    package var memberID: String
    package var groupInstanceID: String?
    package var reason: String?
  }

  package var groupID: String
  package var members: [Member]
}

extension LeaveGroupRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    members = try version >= 3 ? reader.structures("members", version) : [Member(memberID: reader.string("member_id"))]
    try reader.skipTags()
  }
}

extension LeaveGroupRequest.Member {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    memberID = try reader.string("member_id")
    groupInstanceID = try reader.nullableString("group_instance_id")
    if version >= 5 { reason = try reader.nullableString("reason") }
    try reader.skipTags()
  }
}

/// Before version 3 there are no members: what became of the one that left is the response's own error.
package struct LeaveGroupResponse: WireWritable {
  package struct Member: WireWritable {
    package var memberID: String
    package var groupInstanceID: String?
    package var errorCode: ErrorCode = .none
  }

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var members: [Member] = []
}

extension LeaveGroupResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    if version >= 3 {
      writer.error(errorCode)
      writer.structures(members, version)
    } else {
      writer.error(errorCode == .none ? members.first?.errorCode ?? .none : errorCode)
    }
    writer.noTags()
  }
}

extension LeaveGroupResponse.Member {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(memberID)
    writer.nullableString(groupInstanceID)
    writer.error(errorCode)
    writer.noTags()
  }
}
