internal import Core
internal import Drift
internal import Kafka

/// Tells results as CloudEvents in binary mode, together with the offsets that they follow from, in one transaction.
final class ResultTopic {
  static let name = "headrace.drift"
  private let producer: TransactionalProducer
  private let topology: String
  private let timeoutMilliseconds: Int32

  /// Fences whoever told results of this topology before.
  init(_ client: ClientConfiguration, topology: String) throws(HeadraceError) {
    self.topology = topology
    timeoutMilliseconds = client.requestTimeoutMilliseconds
    producer = try TransactionalProducer(
      ProducerConfiguration(client: client), TransactionConfiguration(transactionalID: "\(topology)-monitors"))
    try producer.initialize(timeoutMilliseconds: timeoutMilliseconds)
  }

  static func make(_ client: ClientConfiguration, replicationFactor: Int32) throws(HeadraceError) {
    let admin = try Admin(client)
    guard try !admin.describeCluster().topics.contains(where: { $0.name == name && $0.error == nil }) else { return }
    do throws(HeadraceError) {
      try admin.createTopic(
        NewTopic(name: name, partitionCount: 1, replicationFactor: replicationFactor, configuration: [:]))
    } catch {
      guard error.isKafka(.topicExists) else { throw error }
    }
  }

  func tell(
    _ results: [MonitorResult], offsets: [TopicPartition: CommittedOffset], group: borrowing GroupMetadata
  ) throws(HeadraceError) {
    try producer.begin()
    do throws(HeadraceError) {
      if !results.isEmpty {
        var batch = ProduceBatch(topic: Self.name)
        for result in results { try append(result, to: &batch) }
        try producer.send(batch)
      }
      try producer.sendOffsets(offsets, group: group, timeoutMilliseconds: timeoutMilliseconds)
      try producer.commit(timeoutMilliseconds: timeoutMilliseconds)
    } catch {
      if error.retry == .abortTransaction { try? producer.abort(timeoutMilliseconds: timeoutMilliseconds) }
      throw error
    }
  }

  private func append(_ result: MonitorResult, to batch: inout ProduceBatch) throws(HeadraceError) {
    let key = Array(result.monitor.utf8)
    unsafe try batch.append(key: key.span.bytes, value: result.json.span.bytes, partition: 0)
    let headers = [
      ("ce_specversion", "1.0"), ("ce_id", "\(topology)/\(result.id)"), ("ce_source", "/headrace/\(topology)"),
      ("ce_type", "headrace.drift.\(result.kind)"), ("ce_subject", result.model),
      ("ce_time", RFC3339.text(milliseconds: result.window.endMilliseconds)), ("content-type", "application/json"),
    ]
    for (name, value) in headers { try batch.appendHeader(name, value) }
  }

  func close() { producer.close() }
}
