package import NIOCore

/// The leader hands in everybody's assignment; each member waits for its own.
package struct SyncGroupRequest: WireReadable {
  package struct Assignment: WireReadable {
    package var memberID: String
    package var assignment: ByteBuffer
  }

  package var groupID: String
  package var generation: Int32
  package var memberID: String
  package var groupInstanceID: String?
  package var protocolType: String?
  package var protocolName: String?
  package var assignments: [Assignment]
}

extension SyncGroupRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupID = try reader.string("group_id")
    generation = try reader.int32("generation_id")
    memberID = try reader.string("member_id")
    if version >= 3 { groupInstanceID = try reader.nullableString("group_instance_id") }
    if version >= 5 {
      protocolType = try reader.nullableString("protocol_type")
      protocolName = try reader.nullableString("protocol_name")
    }
    assignments = try reader.structures("assignments", version)
    try reader.skipTags()
  }
}

extension SyncGroupRequest.Assignment {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    memberID = try reader.string("member_id")
    assignment = try reader.bytes("assignment")
    try reader.skipTags()
  }
}

package struct SyncGroupResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var protocolType: String?
  package var protocolName: String?
  package var assignment = ByteBuffer()
}

extension SyncGroupResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.error(errorCode)
    if version >= 5 {
      writer.nullableString(protocolType)
      writer.nullableString(protocolName)
    }
    writer.bytes(assignment)
    writer.noTags()
  }
}
