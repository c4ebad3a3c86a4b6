package import NIOCore

package struct DescribeGroupsRequest: WireReadable {
  package var groupIDs: [String]
  package var includeAuthorizedOperations = false
}

extension DescribeGroupsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupIDs = try reader.strings("groups")
    if version >= 3 { includeAuthorizedOperations = try reader.bool("include_authorized_operations") }
    try reader.skipTags()
  }
}

package struct DescribeGroupsResponse: WireWritable {
  package struct Group: WireWritable {
    package var errorCode: ErrorCode = .none
    package var groupID: String
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    package var state = ""
    package var protocolType = ""
    /// The name of the chosen protocol.
    package var protocolData = ""
    package var members: [Member] = []
    package var authorizedOperations = unknownAuthorizedOperations
  }

  package struct Member: WireWritable {
    package var memberID: String
    package var groupInstanceID: String?
    package var clientID: String
    package var clientHost: String
    package var metadata: ByteBuffer
    package var assignment: ByteBuffer
  }

  package var throttleMilliseconds: Int32 = 0
  package var groups: [Group]
}

extension DescribeGroupsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.structures(groups, version)
    writer.noTags()
  }
}

extension DescribeGroupsResponse.Group {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.string(groupID)
    writer.string(state)
    writer.string(protocolType)
    writer.string(protocolData)
    writer.structures(members, version)
    if version >= 3 { writer.int32(authorizedOperations) }
    writer.noTags()
  }
}

extension DescribeGroupsResponse.Member {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(memberID)
    if version >= 4 { writer.nullableString(groupInstanceID) }
    writer.string(clientID)
    writer.string(clientHost)
    writer.bytes(metadata)
    writer.bytes(assignment)
    writer.noTags()
  }
}
