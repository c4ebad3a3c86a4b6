internal import Core
internal import NIOCore

extension BrokerCore {
  func handle(_ request: ProduceRequest, _ exchange: Exchange) {
    var appended: [Partition] = []
    var failed = false
    let topics = request.topics.map { topic in
      ProduceResponse.Topic(
        name: topic.name,
        partitions: topic.partitions.map { item in
          let result = append(item, to: topic.name, request, &appended)
          if result.errorCode != .none { failed = true }
          return result
        })
    }
    KillPoint.pass(.produceBeforeResponse)
    if request.acks == 0 {
      // Nobody reads an answer; closing is how Kafka tells such a producer that something is wrong.
      if failed { exchange.connection.close(because: "a Produce with acks=0 failed") }
      exchange.finishSilently()
    } else {
      exchange.reply(ProduceResponse(topics: topics, throttleMilliseconds: exchange.throttleMilliseconds))
    }
    for partition in appended { answerWaitingFetches(of: partition) }
  }

  private func append(
    _ item: ProduceRequest.Partition, to topicName: String, _ request: ProduceRequest, _ appended: inout [Partition]
  ) -> ProduceResponse.Partition {
    func refused(_ code: ErrorCode, _ message: String? = nil, record: Int32? = nil) -> ProduceResponse.Partition {
      .init(
        index: item.index, errorCode: code,
        recordErrors: record.map { [.init(batchIndex: $0, message: message)] } ?? [], errorMessage: message)
    }
    guard (-1...1).contains(request.acks) else { return refused(.invalidRequiredAcks) }
    guard let partition = partition(topicName, item.index) else { return refused(.unknownTopicOrPartition) }
    guard let records = item.records, let header = RecordBatchHeader(records.readableBytesSpan) else {
      return refused(.corruptMessage, "the payload is shorter than a record batch's header")
    }
    if header.attributes.contains(.transactional) {
      let verdict = transactions.mayProduce(
        producerID: header.producerID, epoch: header.producerEpoch,
        partition: TopicPartition(topic: topicName, partition: item.index))
      guard verdict == .none else { return refused(verdict) }
    }
    KillPoint.pass(.produceBeforeAppend)
    do throws(LogError) {
      let result = try partition.log.append(records, nowMilliseconds: wallMilliseconds)
      appended.append(partition)
      return .init(
        index: item.index, baseOffset: result.baseOffset, logAppendTimeMilliseconds: result.logAppendTimeMilliseconds,
        logStartOffset: partition.log.logStartOffset)
    } catch {
      if case .batch(let batchError) = error {
        return refused(error.errorCode, error.message, record: batchError.recordIndex)
      }
      return refused(error.errorCode, error.message)
    }
  }
}

extension LogError {
  var errorCode: ErrorCode { ErrorCode(rawValue: kafkaCode) ?? .unknownServerError }
}
