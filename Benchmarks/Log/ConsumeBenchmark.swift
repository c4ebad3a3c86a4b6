internal import CAllocations
internal import CLogLimits
internal import Core
internal import Kafka

/// Reads a warm topic through a Swift closure that looks at every record, and through a plain C loop.
final class ConsumeBenchmark {
  private let bootstrap: String
  private let workload: Workload
  private let topic: String

  private var client: ClientConfiguration { ClientConfiguration(bootstrapServers: bootstrap) }

  /// Fills a topic, which is deleted when the benchmark ends.
  init(bootstrap: String, workload: Workload) throws {
    self.bootstrap = bootstrap
    self.workload = workload
    topic = try makeTopic("consume", workload, ClientConfiguration(bootstrapServers: bootstrap))
    _ = try ProduceBenchmark(bootstrap: bootstrap, workload: workload, mode: .idempotent).run(into: topic)
  }

  deinit { _ = try? Admin(client).deleteTopics([topic]) }

  /// Whole rounds of whole batches, so maybe a few less than asked for.
  private var records: Int {
    workload.records / (Int(workload.partitionCount) * 2_000) * Int(workload.partitionCount) * 2_000
  }

  /// - Parameter workNanosecondsPerRecord: what the closure pretends to do; a slow reader must not starve either.
  func run(workNanosecondsPerRecord: Int = 0) throws -> Measurement {
    let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    defer { _ = try? consumer.close() }
    let partitions = (0..<workload.partitionCount).map { TopicPartition(topic: topic, partition: $0) }
    try consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .beginning) }))
    var seen = 0
    var bytes = 0
    var start = 0.0
    var allocations: UInt64 = 0
    while seen < records {
      try consumer.poll(timeoutMilliseconds: 1_000) { batch in
        if start == 0 {
          start = secondsNow()
          allocations = allocations_of_thread()
        }
        for index in batch.indices {
          if let value = batch[index].value { bytes += value.byteCount }
        }
        seen += batch.count
        guard workNanosecondsPerRecord > 0 else { return }
        let end = secondsNow() + Double(workNanosecondsPerRecord * batch.count) * 1e-9
        while secondsNow() < end {}
      }
    }
    return Measurement(
      records: seen, bytes: bytes, seconds: secondsNow() - start, allocations: allocations_of_thread() - allocations)
  }

  /// The same records with `rd_kafka_consume_batch_queue` alone.
  func runLimit(checksRecordBatches: Bool = true) throws -> Measurement {
    unsafe try measureInC { result, text, capacity in
      unsafe limits_consume(
        bootstrap, topic, workload.partitionCount, UInt64(records), checksRecordBatches ? 1 : 0, result, text, capacity)
    }
  }
}
