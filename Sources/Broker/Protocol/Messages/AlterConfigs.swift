/// Replaces all configurations of resources: what is not named goes back to its default.
package struct AlterConfigsRequest: WireReadable {
  package struct Resource: WireReadable {
    package var kind: ConfigResourceKind
    package var name: String
    package var configs: [ConfigEntry]
  }

  package var resources: [Resource]
  package var validateOnly: Bool
}

extension AlterConfigsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    resources = try reader.structures("resources", version)
    validateOnly = try reader.bool("validate_only")
    try reader.skipTags()
  }
}

extension AlterConfigsRequest.Resource {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    kind = ConfigResourceKind(rawValue: try reader.int8("resource_type"))
    name = try reader.string("resource_name")
    configs = try reader.structures("configs", version)
    try reader.skipTags()
  }
}

/// The answer to `AlterConfigs` and to `IncrementalAlterConfigs`.
package struct AlterConfigsResponse: WireWritable {
  package struct Resource: WireWritable {
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
    package var kind: ConfigResourceKind
    package var name: String
  }

  package var throttleMilliseconds: Int32 = 0
  package var resources: [Resource]
}

extension AlterConfigsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(resources, version)
    writer.noTags()
  }
}

extension AlterConfigsResponse.Resource {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.int8(kind.rawValue)
    writer.string(name)
    writer.noTags()
  }
}
