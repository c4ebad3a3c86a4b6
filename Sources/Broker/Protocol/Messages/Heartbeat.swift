/// A member is alive, and asks whether its generation still stands.
package struct HeartbeatRequest: WireReadable {
  package var groupID: String
  package var generation: Int32
  package var memberID: String
  package var groupInstanceID: String?
}

extension HeartbeatRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    generation = try reader.int32("generation_id")
    memberID = try reader.string("member_id")
    if version >= 3 { groupInstanceID = try reader.nullableString("group_instance_id") }
    try reader.skipTags()
  }
}

package struct HeartbeatResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
}

extension HeartbeatResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.error(errorCode)
    writer.noTags()
  }
}
