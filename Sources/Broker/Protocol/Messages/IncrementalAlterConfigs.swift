/// Changes single configurations and leaves the others (KIP-339).
package struct IncrementalAlterConfigsRequest: WireReadable {
  package struct Resource: WireReadable {
    package var kind: ConfigResourceKind
    package var name: String
    package var configs: [Change]
  }

  package struct Change: WireReadable {
    package var name: String
    package var operation: ConfigOperation
    package var value: String?
  }

  package var resources: [Resource]
  package var validateOnly: Bool
}

extension IncrementalAlterConfigsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    resources = try reader.structures("resources", version)
    validateOnly = try reader.bool("validate_only")
    try reader.skipTags()
  }
}

extension IncrementalAlterConfigsRequest.Resource {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    kind = ConfigResourceKind(rawValue: try reader.int8("resource_type"))
    name = try reader.string("resource_name")
    configs = try reader.structures("configs", version)
    try reader.skipTags()
  }
}

extension IncrementalAlterConfigsRequest.Change {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("config name")
    operation = ConfigOperation(rawValue: try reader.int8("config_operation"))
    value = try reader.nullableString("config value")
    try reader.skipTags()
  }
}

package typealias IncrementalAlterConfigsResponse = AlterConfigsResponse
