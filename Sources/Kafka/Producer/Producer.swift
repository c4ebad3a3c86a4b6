package import Core
internal import CRDKafka

/// Writes batches of records and says of each record whether it is stored.
///
/// A producer belongs to the thread that made it, and every call may block: never call it from Swift's thread pool, but
/// from a thread of your own (`BlockingThread`, `Confined`).
package final class Producer {
  let configuration: ProducerConfiguration
  let deliveries: RDDeliveries
  private var client: RDClient?
  private var topics: [String: RDTopic] = [:]
  private var reports: [DeliveryReport] = []
  /// A record was not delivered, and no taken report has told of it.
  private(set) var isFailureUnreported = false

  package convenience init(_ configuration: ProducerConfiguration) throws(HeadraceError) {
    try self.init(configuration, configuration.settings())
  }

  init(_ configuration: ProducerConfiguration, _ settings: consuming RDSettings) throws(HeadraceError) {
    self.configuration = configuration
    try configuration.client.applyProperties(to: settings)
    deliveries = try RDDeliveries()
    client = try RDClient(RD_KAFKA_PRODUCER, settings, configuration.client, deliveries: deliveries)
  }

  deinit {
    topics.removeAll()
    if let client { Retirement.end(client) }
  }

  func open() throws(HeadraceError) -> RDClient {
    guard let client else {
      throw HeadraceError(.internal, "PRODUCER_CLOSED", "this producer is closed", remedy: "make a new one")
    }
    return client
  }

  /// Queues all records of the batch; they are copied. Waits while the queue is full.
  ///
  /// A record that cannot be queued (too large, no such partition) is a failure in the batch's report; the others go
  /// on.
  ///
  /// - Returns: the number under which the batch is reported.
  /// - Throws: when the producer is closed or failed for good. Records of this batch that were queued before are
  ///   reported.
  @discardableResult
  package func send(_ batch: ProduceBatch) throws(HeadraceError) -> UInt32 {
    let client = try open()
    if let error = client.fatalError { throw error }
    let topic = try topic(batch.topic, client)
    let number = try deliveries.open(batch.count)
    var next = 0
    while next < batch.count {
      var refusal = RD_KAFKA_RESP_ERR_NO_ERROR
      next += unsafe batch.bytes.withUnsafeBufferPointer { bytes in
        unsafe batch.records.withUnsafeBufferPointer { records in
          unsafe headrace_produce(
            client.handle, topic.handle, bytes.baseAddress, records.baseAddress, next, batch.count, number, &refusal)
        }
      }
      guard next < batch.count else { break }
      if refusal == RD_KAFKA_RESP_ERR__QUEUE_FULL {
        poll(timeoutMilliseconds: 100)
        continue
      }
      deliveries.reject(number, record: next, refusal)
      next += 1
      guard refusal == RD_KAFKA_RESP_ERR__FATAL || refusal == RD_KAFKA_RESP_ERR__STATE else { continue }
      for index in next..<batch.count { deliveries.reject(number, record: index, refusal) }
      throw client.error(KafkaErrorCode(refusal), while: "send", place: batch.topic)
    }
    poll(timeoutMilliseconds: 0)
    return number
  }

  /// Serves delivery reports and log lines; `send` and `flush` do so too.
  package func poll(timeoutMilliseconds: Int32) {
    guard let client else { return }
    _ = unsafe rd_kafka_poll(client.handle, timeoutMilliseconds)
    collectReports()
  }

  /// The reports of the batches that are settled, each once, oldest first.
  package func takeReports() -> [DeliveryReport] {
    collectReports()
    defer {
      reports.removeAll()
      isFailureUnreported = false
    }
    return reports
  }

  private func collectReports() {
    while let report = deliveries.next() {
      reports.append(report)
      if report.failed > 0 { isFailureUnreported = true }
    }
  }

  /// Records that are queued or on their way.
  package var outstanding: Int {
    guard let client else { return 0 }
    return unsafe Int(rd_kafka_outq_len(client.handle))
  }

  /// Waits until every record that was sent is settled.
  ///
  /// - Throws: when time runs out first, and when a record was not delivered that no taken report has told of. Reports
  ///   stay
  ///   to be taken either way.
  package func flush(timeoutMilliseconds: Int32) throws(HeadraceError) {
    let client = try open()
    let code = unsafe rd_kafka_flush(client.handle, timeoutMilliseconds)
    collectReports()
    if let error = client.fatalError { throw error }
    if isFailureUnreported, let error = reports.lazy.compactMap(\.error).first { throw error }
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw client.error(KafkaErrorCode(code), while: "flush (\(outstanding) records are not settled)")
    }
  }

  /// Sends the batch and waits for its report.
  package func sendAndWait(_ batch: ProduceBatch, timeoutMilliseconds: Int32) throws(HeadraceError) -> DeliveryReport {
    let number = try send(batch)
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(timeoutMilliseconds)
    while true {
      if let index = reports.firstIndex(where: { $0.batch == number }) {
        let report = reports.remove(at: index)
        isFailureUnreported = reports.contains { $0.failed > 0 }
        return report
      }
      let left = deadline - WallClock.monotonic.nowMilliseconds
      guard left > 0 else { throw try open().error(.timedOut, while: "wait for the delivery of a batch") }
      poll(timeoutMilliseconds: Int32(clamping: min(left, 100)))
    }
  }

  /// The number of partitions of a topic.
  package func partitionCount(of topic: String) throws(HeadraceError) -> Int32 {
    try open().partitionCount(of: topic, timeoutMilliseconds: configuration.client.requestTimeoutMilliseconds)
  }

  /// Frees everything. Flush before: what is not settled is lost, and reported as such by the log alone.
  package func close() {
    topics.removeAll()
    guard let client = client.take() else { return }
    Retirement.end(client)
  }

  private func topic(_ name: String, _ client: RDClient) throws(HeadraceError) -> RDTopic {
    if let known = topics[name] { return known }
    let topic = try RDTopic(name, of: client)
    topics[name] = topic
    return topic
  }
}

@available(*, unavailable)
extension Producer: Sendable {}
