internal import Core

extension BrokerCore {
  func handle(_ request: ApiVersionsRequest, _ exchange: Exchange) {
    guard APIVersions.isOffered(.apiVersions, version: exchange.version) else {
      exchange.reply(ApiVersionsResponse.unsupportedVersion)
      return
    }
    exchange.reply(ApiVersionsResponse(throttleMilliseconds: exchange.throttleMilliseconds))
  }

  func handle(_ request: MetadataRequest, _ exchange: Exchange) {
    let found: [MetadataResponse.Topic]
    if let wanted = request.topics {
      found = wanted.map { metadata(of: $0, mayCreate: request.allowAutoTopicCreation) }
    } else {
      found = topics.values.sorted { $0.name < $1.name }.map(Self.metadata(of:))
    }
    exchange.reply(
      MetadataResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        brokers: [.init(nodeID: Self.nodeID, host: advertisedHost, port: advertisedPort)], clusterID: clusterID,
        controllerID: Self.nodeID, topics: found))
  }

  func handle(_ request: DescribeClusterRequest, _ exchange: Exchange) {
    exchange.reply(
      DescribeClusterResponse(
        throttleMilliseconds: exchange.throttleMilliseconds, clusterID: clusterID, controllerID: Self.nodeID,
        brokers: [.init(nodeID: Self.nodeID, host: advertisedHost, port: advertisedPort)]))
  }

  func handle(_ request: FindCoordinatorRequest, _ exchange: Exchange) {
    let node = (id: Self.nodeID, host: advertisedHost, port: advertisedPort)
    let coordinators = request.keys.map { key in
      FindCoordinatorResponse.Coordinator(key: key, nodeID: node.id, host: node.host, port: node.port)
    }
    exchange.reply(
      FindCoordinatorResponse(throttleMilliseconds: exchange.throttleMilliseconds, coordinators: coordinators))
  }

  private func metadata(of wanted: MetadataRequest.Topic, mayCreate: Bool) -> MetadataResponse.Topic {
    guard let name = wanted.name else {
      guard let known = topicNames[wanted.id].flatMap({ topics[$0] }) else {
        return .init(errorCode: .unknownTopicId, name: nil, id: wanted.id)
      }
      return Self.metadata(of: known)
    }
    if let known = topics[name] { return Self.metadata(of: known) }
    guard TopicName.isValid(name) else { return .init(errorCode: .invalidTopicException, name: name) }
    guard mayCreate && configuration.topics.isAutoCreated else {
      return .init(errorCode: .unknownTopicOrPartition, name: name)
    }
    do throws(HeadraceError) {
      return Self.metadata(
        of: try createTopic(name: name, partitionCount: configuration.topics.partitionCount, overrides: [:]))
    } catch {
      report(error, "a topic could not be made")
      return .init(errorCode: .leaderNotAvailable, name: name)
    }
  }

  private static func metadata(of topic: Topic) -> MetadataResponse.Topic {
    MetadataResponse.Topic(
      name: topic.name, id: topic.id,
      partitions: topic.partitions.map { partition in
        .init(index: partition.index, leaderID: nodeID, leaderEpoch: 0, replicaNodes: [nodeID], isrNodes: [nodeID])
      })
  }
}
