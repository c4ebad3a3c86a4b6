package import Core
internal import CRDKafka

/// Whose properties are meant.
package enum ConfigurationResource: Sendable, Hashable {
  case topic(String)
  case broker(id: Int32)

  var name: String {
    switch self {
    case .topic(let name): name
    case .broker(let id): String(id)
    }
  }

  var type: rd_kafka_ResourceType_t {
    switch self {
    case .topic: RD_KAFKA_RESOURCE_TOPIC
    case .broker: RD_KAFKA_RESOURCE_BROKER
    }
  }
}

/// One property of a topic or broker.
package struct ConfigurationEntry: Sendable, Equatable {
  /// nil: the broker keeps it to itself.
  package var value: String?
  package var isDefault: Bool
  package var isReadOnly: Bool
  package var isSensitive: Bool
  /// Set on this very topic or broker, not inherited.
  package var isOwn: Bool
}

extension Admin {
  /// All properties, by name.
  package func configuration(
    of resource: ConfigurationResource
  ) throws(HeadraceError) -> [String: ConfigurationEntry] {
    let object = unsafe try self.object(resource)
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, while: "describe the configuration") {
      options, answers in
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_ConfigResource_destroy($0) }) { array, count in
        unsafe rd_kafka_DescribeConfigs(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(answer.pointer), &count)
    guard count > 0, let result = unsafe results?[0] else { return [:] }
    unsafe try check(result, resource, while: "describe the configuration")
    return unsafe Self.entries(of: result, isOwn: resource.ownSource)
  }

  /// Sets properties and leaves the others as they are; nil returns a property to its default.
  ///
  /// The request replaces all properties that were ever set, so they are read first: two callers at once may undo each
  /// other.
  package func setConfiguration(
    _ changes: [String: String?], of resource: ConfigurationResource
  ) throws(HeadraceError) {
    var wanted: [String: String] = [:]
    for (name, entry) in try configuration(of: resource) where entry.isOwn && !entry.isReadOnly {
      if let value = entry.value { wanted[name] = value }
    }
    for (name, value) in changes { wanted[name] = value }
    let object = unsafe try self.object(resource)
    for (name, value) in wanted { unsafe rd_kafka_ConfigResource_set_config(object, name, value) }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, while: "change the configuration") {
      options, answers in
      unsafe Self.withObjects([object], destroy: { unsafe rd_kafka_ConfigResource_destroy($0) }) { array, count in
        unsafe rd_kafka_AlterConfigs(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(answer.pointer), &count)
    guard count > 0, let result = unsafe results?[0] else { return }
    unsafe try check(result, resource, while: "change the configuration")
  }

  private func object(_ resource: ConfigurationResource) throws(HeadraceError) -> OpaquePointer {
    guard let object = unsafe rd_kafka_ConfigResource_new(resource.type, resource.name) else {
      throw HeadraceError(.invalidArgument, "no such resource", place: resource.name)
    }
    return unsafe object
  }

  private func check(
    _ result: OpaquePointer, _ resource: ConfigurationResource, while activity: String
  ) throws(HeadraceError) {
    let code = KafkaErrorCode(unsafe rd_kafka_ConfigResource_error(result))
    guard code != .none else { return }
    let text = unsafe rd_kafka_ConfigResource_error_string(result).map { unsafe String(cString: $0) }
    throw HeadraceError(code, "\(activity): \(text ?? code.explanation)", place: resource.name)
  }

  private static func entries(
    of result: OpaquePointer, isOwn ownSource: rd_kafka_ConfigSource_t
  ) -> [String: ConfigurationEntry] {
    var count = 0
    let pointers = unsafe rd_kafka_ConfigResource_configs(result, &count)
    var entries: [String: ConfigurationEntry] = [:]
    for index in 0..<count {
      guard let entry = unsafe pointers?[index], let name = unsafe rd_kafka_ConfigEntry_name(entry) else { continue }
      entries[unsafe String(cString: name)] = ConfigurationEntry(
        value: unsafe rd_kafka_ConfigEntry_value(entry).map { unsafe String(cString: $0) },
        isDefault: unsafe rd_kafka_ConfigEntry_is_default(entry) == 1,
        isReadOnly: unsafe rd_kafka_ConfigEntry_is_read_only(entry) == 1,
        isSensitive: unsafe rd_kafka_ConfigEntry_is_sensitive(entry) == 1,
        isOwn: unsafe rd_kafka_ConfigEntry_source(entry) == ownSource)
    }
    return entries
  }
}

extension ConfigurationResource {
  fileprivate var ownSource: rd_kafka_ConfigSource_t {
    switch self {
    case .topic: RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG
    case .broker: RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG
    }
  }
}
