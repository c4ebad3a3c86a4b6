/// Asks which broker coordinates groups or transactions.
///
/// Before version 4 there is exactly one key; it is read as a list of one.
package struct FindCoordinatorRequest: WireReadable {
  package var keys: [String]
  package var kind = CoordinatorKind.group
}

extension FindCoordinatorRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    keys = try version >= 4 ? [] : [reader.string("key")]
    if version >= 1 { kind = CoordinatorKind(rawValue: try reader.int8("key_type")) }
    if version >= 4 { keys = try reader.strings("coordinator_keys") }
    try reader.skipTags()
  }
}

/// Versions before 4 write the first coordinator only.
package struct FindCoordinatorResponse: WireWritable {
  package struct Coordinator: WireWritable {
    package var key: String
    package var nodeID: Int32 = -1
    package var host = ""
    package var port: Int32 = -1
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
  }

  package var throttleMilliseconds: Int32 = 0
  package var coordinators: [Coordinator]
}

extension FindCoordinatorResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    if version >= 1 { writer.int32(throttleMilliseconds) }
    if version >= 4 {
      writer.structures(coordinators, version)
    } else {
      let coordinator = coordinators.first ?? Coordinator(key: "", errorCode: .coordinatorNotAvailable)
      writer.error(coordinator.errorCode)
      if version >= 1 { writer.nullableString(coordinator.errorMessage) }
      writer.int32(coordinator.nodeID)
      writer.string(coordinator.host)
      writer.int32(coordinator.port)
    }
    writer.noTags()
  }
}

extension FindCoordinatorResponse.Coordinator {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(key)
    writer.int32(nodeID)
    writer.string(host)
    writer.int32(port)
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.noTags()
  }
}
