internal import Core

extension BrokerCore {
  func handle(_ request: CreateTopicsRequest, _ exchange: Exchange) {
    let names = request.topics.map(\.name)
    let repeated = Set(names.filter { name in names.count { $0 == name } > 1 })
    exchange.reply(
      CreateTopicsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { wanted in
          guard !repeated.contains(wanted.name) else {
            return .init(name: wanted.name, errorCode: .invalidRequest, errorMessage: "the request names it twice")
          }
          return create(wanted, validateOnly: request.validateOnly)
        }))
  }

  private func create(_ wanted: CreateTopicsRequest.Topic, validateOnly: Bool) -> CreateTopicsResponse.Topic {
    func refused(_ code: ErrorCode, _ message: String) -> CreateTopicsResponse.Topic {
      .init(name: wanted.name, errorCode: code, errorMessage: message)
    }
    guard TopicName.isValid(wanted.name) else {
      return refused(.invalidTopicException, "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -")
    }
    guard topics[wanted.name] == nil else { return refused(.topicAlreadyExists, "topic \(wanted.name) exists") }
    let count: Int32
    if wanted.assignments.isEmpty {
      guard wanted.replicationFactor == -1 || wanted.replicationFactor == 1 else {
        return refused(.invalidReplicationFactor, "replication factor \(wanted.replicationFactor): there is one broker")
      }
      count = wanted.partitionCount == -1 ? configuration.topics.partitionCount : wanted.partitionCount
    } else {
      let isSound =
        wanted.assignments.map(\.partition).sorted() == (0..<Int32(clamping: wanted.assignments.count)).map { $0 }
        && wanted.assignments.allSatisfy { $0.brokerIDs == [Self.nodeID] }
      guard isSound else {
        return refused(.invalidReplicaAssignment, "every partition belongs to broker \(Self.nodeID)")
      }
      count = Int32(clamping: wanted.assignments.count)
    }
    guard (1...configuration.topics.maximumPartitionCount).contains(count) else {
      return refused(
        .invalidPartitions, "found \(count) partitions, expected 1 to \(configuration.topics.maximumPartitionCount)")
    }
    let overrides = Dictionary(
      wanted.configs.compactMap { entry in entry.value.map { (entry.name, $0) } }, uniquingKeysWith: { $1 })
    do throws(HeadraceError) {
      _ = try resolvedConfiguration(overrides)
    } catch {
      return refused(.invalidConfig, error.message)
    }
    if validateOnly { return .init(name: wanted.name, partitionCount: count, replicationFactor: 1) }
    do throws(HeadraceError) {
      let topic = try createTopic(name: wanted.name, partitionCount: count, overrides: overrides)
      return .init(name: wanted.name, id: topic.id, partitionCount: count, replicationFactor: 1)
    } catch {
      report(error, "a topic could not be made")
      return refused(.kafkaStorageError, error.message)
    }
  }

  func handle(_ request: DeleteTopicsRequest, _ exchange: Exchange) {
    exchange.reply(
      DeleteTopicsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { wanted in
          guard let topic = (wanted.name ?? topicNames[wanted.id]).flatMap({ topics[$0] }) else {
            let code: ErrorCode = wanted.name == nil ? .unknownTopicId : .unknownTopicOrPartition
            return .init(name: wanted.name, id: wanted.id, errorCode: code)
          }
          do throws(HeadraceError) {
            try deleteTopic(topic)
            return .init(name: topic.name, id: topic.id)
          } catch {
            report(error, "a topic could not be deleted")
            return .init(name: topic.name, id: topic.id, errorCode: .kafkaStorageError, errorMessage: error.message)
          }
        }))
  }

  func handle(_ request: CreatePartitionsRequest, _ exchange: Exchange) {
    exchange.reply(
      CreatePartitionsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { add($0, validateOnly: request.validateOnly) }))
  }

  private func add(_ wanted: CreatePartitionsRequest.Topic, validateOnly: Bool) -> CreatePartitionsResponse.Topic {
    guard let topic = topics[wanted.name] else { return .init(name: wanted.name, errorCode: .unknownTopicOrPartition) }
    let present = Int32(clamping: topic.partitions.count)
    guard wanted.count > present, wanted.count <= configuration.topics.maximumPartitionCount else {
      return .init(
        name: wanted.name, errorCode: .invalidPartitions,
        errorMessage: "the topic has \(present) partitions; asked for \(wanted.count)")
    }
    if let assignments = wanted.assignments,
      assignments.count != Int(wanted.count - present) || !assignments.allSatisfy({ $0.brokerIDs == [Self.nodeID] })
    {
      return .init(name: wanted.name, errorCode: .invalidReplicaAssignment)
    }
    if validateOnly { return .init(name: wanted.name) }
    do throws(HeadraceError) {
      try addPartitions(to: topic, count: wanted.count)
      return .init(name: wanted.name)
    } catch {
      report(error, "partitions could not be added")
      return .init(name: wanted.name, errorCode: .kafkaStorageError, errorMessage: error.message)
    }
  }

  func handle(_ request: DeleteRecordsRequest, _ exchange: Exchange) {
    exchange.reply(
      DeleteRecordsResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { topic in
          .init(name: topic.name, partitions: topic.partitions.map { deleteRecords($0, of: topic.name) })
        }))
  }

  private func deleteRecords(
    _ item: DeleteRecordsRequest.Partition, of topicName: String
  ) -> DeleteRecordsResponse.Partition {
    guard let partition = partition(topicName, item.index) else {
      return .init(index: item.index, errorCode: .unknownTopicOrPartition)
    }
    let log = partition.log
    let offset = item.offset == -1 ? log.logEndOffset : item.offset
    guard offset >= 0, offset <= log.logEndOffset else { return .init(index: item.index, errorCode: .offsetOutOfRange) }
    do throws(LogError) {
      try log.deleteRecords(before: offset)
      return .init(index: item.index, lowWatermark: log.logStartOffset)
    } catch {
      return .init(index: item.index, errorCode: error.errorCode)
    }
  }

  func handle(_ request: DescribeProducersRequest, _ exchange: Exchange) {
    exchange.reply(
      DescribeProducersResponse(
        throttleMilliseconds: exchange.throttleMilliseconds,
        topics: request.topics.map { topic in
          .init(
            name: topic.name,
            partitions: topic.partitions.map { index in
              guard let partition = partition(topic.name, index) else {
                return .init(index: index, errorCode: .unknownTopicOrPartition)
              }
              return .init(index: index, activeProducers: partition.log.producers.described)
            })
        }))
  }
}

extension ProducerStates {
  /// What DescribeProducers tells, by producer id.
  fileprivate var described: [DescribeProducersResponse.Producer] {
    producers.sorted { $0.key < $1.key }.map { id, state in
      .init(
        producerID: id, producerEpoch: Int32(state.epoch), lastSequence: state.lastSequence,
        lastTimestampMilliseconds: state.recent.last?.timestamp ?? -1, coordinatorEpoch: state.coordinatorEpoch,
        currentTransactionStartOffset: state.openTransactionFirstOffset ?? -1)
    }
  }
}
