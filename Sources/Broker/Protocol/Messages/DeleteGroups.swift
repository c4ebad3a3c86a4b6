package struct DeleteGroupsRequest: WireReadable {
  package var groupIDs: [String]
}

extension DeleteGroupsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    groupIDs = try reader.strings("groups_names")
    try reader.skipTags()
  }
}

package struct DeleteGroupsResponse: WireWritable {
  package struct Group: WireWritable {
    package var groupID: String
    package var errorCode: ErrorCode = .none
  }

  package var throttleMilliseconds: Int32 = 0
  package var groups: [Group]
}

extension DeleteGroupsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(groups, version)
    writer.noTags()
  }
}

extension DeleteGroupsResponse.Group {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(groupID)
    writer.error(errorCode)
    writer.noTags()
  }
}
