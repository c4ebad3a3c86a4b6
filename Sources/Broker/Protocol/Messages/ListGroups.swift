package struct ListGroupsRequest: WireReadable {
  /// Empty: groups in any state.
  package var statesFilter: [String] = []
}

extension ListGroupsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    if version >= 4 { statesFilter = try reader.strings("states_filter") }
    try reader.skipTags()
  }
}

package struct ListGroupsResponse: WireWritable {
  package struct Group: WireWritable {
    package var groupID: String
    package var protocolType: String
    package var state = ""
  }

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var groups: [Group] = []
}

extension ListGroupsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.error(errorCode)
    writer.structures(groups, version)
    writer.noTags()
  }
}

extension ListGroupsResponse.Group {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(groupID)
    writer.string(protocolType)
    if version >= 4 { writer.string(state) }
    writer.noTags()
  }
}
