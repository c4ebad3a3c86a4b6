package struct DescribeConfigsRequest: WireReadable {
  package struct Resource: WireReadable {
    package var kind: ConfigResourceKind
    package var name: String
    /// Nil: all configurations.
    package var configurationKeys: [String]?
  }

  package var resources: [Resource]
  package var includeSynonyms: Bool
  package var includeDocumentation = false
}

extension DescribeConfigsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    resources = try reader.structures("resources", version)
    includeSynonyms = try reader.bool("include_synonyms")
    if version >= 3 { includeDocumentation = try reader.bool("include_documentation") }
    try reader.skipTags()
  }
}

extension DescribeConfigsRequest.Resource {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    kind = ConfigResourceKind(rawValue: try reader.int8("resource_type"))
    name = try reader.string("resource_name")
    configurationKeys = try reader.nullableArray("configuration_keys") { reader throws(WireError) in
      try reader.string("configuration_keys")
    }
    try reader.skipTags()
  }
}

package struct DescribeConfigsResponse: WireWritable {
  package struct Resource: WireWritable {
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
    package var kind: ConfigResourceKind
    package var name: String
    package var configs: [Config] = []
  }

  package struct Config: WireWritable {
    package var name: String
    package var value: String?
    package var isReadOnly = false
    package var source = ConfigSource.unknown
    package var isSensitive = false
    /// Where the value would come from else, in order of precedence; only when asked for.
    package var synonyms: [Synonym] = []
    package var kind = ConfigValueKind.unknown
    package var documentation: String?
  }

  package struct Synonym: WireWritable {
    package var name: String
    package var value: String?
    package var source: ConfigSource
  }

  package var throttleMilliseconds: Int32 = 0
  package var resources: [Resource]
}

extension DescribeConfigsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(resources, version)
    writer.noTags()
  }
}

extension DescribeConfigsResponse.Resource {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.int8(kind.rawValue)
    writer.string(name)
    writer.structures(configs, version)
    writer.noTags()
  }
}

extension DescribeConfigsResponse.Config {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    writer.nullableString(value)
    writer.bool(isReadOnly)
    writer.int8(source.rawValue)
    writer.bool(isSensitive)
    writer.structures(synonyms, version)
    if version >= 3 {
      writer.int8(kind.rawValue)
      writer.nullableString(documentation)
    }
    writer.noTags()
  }
}

extension DescribeConfigsResponse.Synonym {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    writer.nullableString(value)
    writer.int8(source.rawValue)
    writer.noTags()
  }
}
