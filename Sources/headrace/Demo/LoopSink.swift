internal import Core
internal import Kafka

/// Publishes the events of a slice, and says when the log has them all. Lives on one thread that may block.
final class LoopSink {
  private static let batchRecordsMaximum = 5_000
  private static let outstandingMaximum = 100_000

  private let producer: Producer
  private var batches: [String: ProduceBatch] = [:]
  private let partitionCount: Int32
  /// Since the beginning.
  private(set) var eventCount: Int64 = 0

  init(_ client: ClientConfiguration, partitionCount: Int32) throws(HeadraceError) {
    self.partitionCount = partitionCount
    var configuration = ProducerConfiguration(client: client)
    configuration.compression = .lz4
    producer = try Producer(configuration)
  }

  func close() { producer.close() }

  /// - Parameters:
  ///   - key: where the key is in `bytes`; nil: none.
  ///   - value: where the value is in `bytes`.
  func append(
    to topic: String, _ bytes: [UInt8], key: Range<Int>?, value: Range<Int>, timestampMilliseconds: Int64
  ) throws {
    var batch =
      batches.removeValue(forKey: topic)
      ?? ProduceBatch(topic: topic, partitioner: .murmur2, partitionCount: partitionCount)
    let span = bytes.span
    if let key {
      unsafe try batch.append(
        key: span.extracting(key).bytes, value: span.extracting(value).bytes,
        timestampMilliseconds: timestampMilliseconds)
    } else {
      unsafe try batch.append(value: span.extracting(value).bytes, timestampMilliseconds: timestampMilliseconds)
    }
    eventCount += 1
    if batch.count >= Self.batchRecordsMaximum { try send(&batch) }
    batches[topic] = batch
  }

  /// Everything that was appended is in the log when this returns.
  func flush() throws {
    for topic in batches.keys.sorted() {
      guard var batch = batches[topic], !batch.isEmpty else { continue }
      try send(&batch)
      batches[topic] = batch
    }
    while producer.outstanding > 0 { try serve(waitingMilliseconds: 20) }
    try serve(waitingMilliseconds: 0)
  }

  private func send(_ batch: inout ProduceBatch) throws {
    try producer.send(batch)
    batch.removeAll()
    while producer.outstanding > Self.outstandingMaximum { try serve(waitingMilliseconds: 20) }
  }

  private func serve(waitingMilliseconds: Int32) throws {
    producer.poll(timeoutMilliseconds: waitingMilliseconds)
    for report in producer.takeReports() {
      if let error = report.error { throw error }
    }
  }
}
