internal import Core

extension BrokerCore {
  func handle(_ request: DescribeConfigsRequest, _ exchange: Exchange) {
    exchange.reply(
      DescribeConfigsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        resources: request.resources.map { resource in
          var answer = DescribeConfigsResponse.Resource(kind: resource.kind, name: resource.name)
          switch resource.kind {
          case .topic:
            if let topic = topics[resource.name] {
              answer.configs = describe(topic, request)
            } else {
              answer.errorCode = .unknownTopicOrPartition
            }
          case .broker where resource.name == "\(Self.nodeID)" || resource.name.isEmpty:
            answer.configs = describeBroker()
          default:
            answer.errorCode = .invalidRequest
            answer.errorMessage = "this broker has settings of topics and of broker \(Self.nodeID)"
          }
          if let keys = resource.configurationKeys, !keys.isEmpty {
            answer.configs.removeAll { !keys.contains($0.name) }
          }
          return answer
        }))
  }

  private func describe(_ topic: Topic, _ request: DescribeConfigsRequest) -> [DescribeConfigsResponse.Config] {
    TopicConfiguration.settings.map { setting in
      let brokerWide = configuration.topics.overrides[setting.name]
      var synonyms: [DescribeConfigsResponse.Synonym] = []
      if let own = topic.overrides[setting.name] {
        synonyms.append(.init(name: setting.name, value: own, source: .topic))
      }
      if let brokerWide { synonyms.append(.init(name: setting.brokerName, value: brokerWide, source: .staticBroker)) }
      synonyms.append(.init(name: setting.brokerName, value: setting.defaultValue, source: .defaultValue))
      return DescribeConfigsResponse.Config(
        name: setting.name, value: synonyms.first?.value, source: synonyms.first?.source ?? .defaultValue,
        synonyms: request.includeSynonyms ? synonyms : [], kind: setting.kind,
        documentation: request.includeDocumentation ? setting.documentation : nil)
    }
  }

  private func describeBroker() -> [DescribeConfigsResponse.Config] {
    let values: [(String, String, ConfigValueKind)] = [
      ("broker.id", "\(Self.nodeID)", .int32),
      ("auto.create.topics.enable", "\(configuration.topics.isAutoCreated)", .boolean),
      ("num.partitions", "\(configuration.topics.partitionCount)", .int32),
      ("socket.request.max.bytes", "\(configuration.limits.frameBytes)", .int32),
      ("max.connections", "\(configuration.limits.connections)", .int32),
      ("group.initial.rebalance.delay.ms", "\(configuration.groups.initialRebalanceDelayMilliseconds)", .int32),
      ("transaction.max.timeout.ms", "\(configuration.transactions.maximumTimeoutMilliseconds)", .int32),
      ("log.dirs", configuration.dataDirectory, .string),
    ]
    return values.map { .init(name: $0.0, value: $0.1, isReadOnly: true, source: .staticBroker, kind: $0.2) }
  }

  func handle(_ request: AlterConfigsRequest, _ exchange: Exchange) {
    exchange.reply(
      AlterConfigsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        resources: request.resources.map { resource in
          let wanted = Dictionary(
            resource.configs.compactMap { entry in entry.value.map { (entry.name, $0) } }, uniquingKeysWith: { $1 })
          return alter(resource.kind, resource.name, validateOnly: request.validateOnly) { _ in wanted }
        }))
  }

  func handle(_ request: IncrementalAlterConfigsRequest, _ exchange: Exchange) {
    exchange.reply(
      IncrementalAlterConfigsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        resources: request.resources.map { resource in
          alter(resource.kind, resource.name, validateOnly: request.validateOnly) { present in
            resource.configs.reduce(into: present) { $1.apply(to: &$0) }
          }
        }))
  }

  private func alter(
    _ kind: ConfigResourceKind, _ name: String, validateOnly: Bool, _ change: ([String: String]) -> [String: String]
  ) -> AlterConfigsResponse.Resource {
    func answer(_ code: ErrorCode = .none, _ message: String? = nil) -> AlterConfigsResponse.Resource {
      .init(errorCode: code, errorMessage: message, kind: kind, name: name)
    }
    guard kind == .topic else { return answer(.invalidRequest, "only settings of topics can be changed while it runs") }
    guard let topic = topics[name] else { return answer(.unknownTopicOrPartition) }
    let overrides = change(topic.overrides)
    do throws(HeadraceError) {
      _ = try resolvedConfiguration(overrides)
    } catch {
      return answer(.invalidConfig, error.message)
    }
    guard !validateOnly else { return answer() }
    do throws(HeadraceError) {
      try configure(topic, overrides: overrides)
      return answer()
    } catch {
      report(error, "settings could not be changed")
      return answer(.kafkaStorageError, error.message)
    }
  }
}

extension IncrementalAlterConfigsRequest.Change {
  /// Lists (`cleanup.policy`) grow and shrink by their elements; an absent list counts as the default `delete`.
  fileprivate func apply(to overrides: inout [String: String]) {
    let value = value ?? ""
    let list = (overrides[name] ?? "delete").split(separator: ",").map(String.init)
    let changed = value.split(separator: ",").map(String.init)
    switch operation {
    case .set: overrides[name] = value
    case .delete: overrides[name] = nil
    case .append: overrides[name] = (list + changed.filter { !list.contains($0) }).joined(separator: ",")
    case .subtract: overrides[name] = list.filter { !changed.contains($0) }.joined(separator: ",")
    default: break
    }
  }
}
