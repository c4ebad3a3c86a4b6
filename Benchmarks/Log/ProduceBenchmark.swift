internal import CAllocations
internal import CLogLimits
internal import Core
internal import Kafka

enum ProduceMode: String, CaseIterable { case plain, idempotent, transactional }

/// Sends batches as a worker does and waits until all is acknowledged.
struct ProduceBenchmark {
  let bootstrap: String
  let workload: Workload
  let mode: ProduceMode

  private static let batchRecords = 2_000
  private static let recordsPerTransaction = 100_000

  private var client: ClientConfiguration { ClientConfiguration(bootstrapServers: bootstrap) }

  /// Measures into a topic of its own, which is deleted afterwards.
  func run() throws -> Measurement {
    let topic = try makeTopic("produce", workload, client)
    defer { _ = try? Admin(client).deleteTopics([topic]) }
    return try run(into: topic)
  }

  func run(into topic: String) throws -> Measurement {
    var configuration = ProducerConfiguration(client: client)
    configuration.isIdempotent = mode != .plain
    configuration.compression = workload.codec
    let batches = try makeBatches(topic)
    let (seconds, allocations) =
      mode == .transactional ? try sendInTransactions(batches, configuration) : try send(batches, configuration)
    let records = batches.reduce(0) { $0 + $1.count } * (workload.records / (batches.count * Self.batchRecords))
    return Measurement(
      records: records, bytes: records * workload.valueBytes, seconds: seconds, allocations: allocations)
  }

  /// As many batches as partitions: each is sent again and again.
  private func makeBatches(_ topic: String) throws -> [ProduceBatch] {
    let values = workload.values(count: Self.batchRecords)
    return try (0..<workload.partitionCount).map { partition in
      var batch = ProduceBatch(topic: topic)
      for index in 0..<Self.batchRecords {
        let value = values[index * workload.valueBytes..<(index + 1) * workload.valueBytes]
        try unsafe batch.append(value: value.span.bytes, partition: partition)
      }
      return batch
    }
  }

  private var rounds: Int { workload.records / (Int(workload.partitionCount) * Self.batchRecords) }

  private func send(_ batches: [ProduceBatch], _ configuration: ProducerConfiguration) throws -> (Double, UInt64) {
    let producer = try Producer(configuration)
    defer { producer.close() }
    _ = try producer.partitionCount(of: batches[0].topic)
    let start = secondsNow()
    let allocations = allocations_of_thread()
    for _ in 0..<rounds {
      for batch in batches { try producer.send(batch) }
      _ = producer.takeReports()
    }
    try producer.flush(timeoutMilliseconds: 60_000)
    return (secondsNow() - start, allocations_of_thread() - allocations)
  }

  private func sendInTransactions(
    _ batches: [ProduceBatch], _ configuration: ProducerConfiguration
  ) throws -> (Double, UInt64) {
    let producer = try TransactionalProducer(configuration, TransactionConfiguration(transactionalID: batches[0].topic))
    defer { producer.close() }
    try producer.initialize(timeoutMilliseconds: 30_000)
    let start = secondsNow()
    let allocations = allocations_of_thread()
    var inTransaction = 0
    for _ in 0..<rounds {
      for batch in batches {
        if inTransaction == 0 { try producer.begin() }
        try producer.send(batch)
        inTransaction += batch.count
        guard inTransaction >= Self.recordsPerTransaction else { continue }
        try producer.commit(timeoutMilliseconds: 30_000)
        inTransaction = 0
      }
    }
    if inTransaction > 0 { try producer.commit(timeoutMilliseconds: 30_000) }
    return (secondsNow() - start, allocations_of_thread() - allocations)
  }

  /// The same records with `rd_kafka_produce` alone.
  func runLimit() throws -> Measurement {
    let topic = try makeTopic("limit", workload, client)
    defer { _ = try? Admin(client).deleteTopics([topic]) }
    let values = workload.values(count: Self.batchRecords)
    return unsafe try measureInC { result, text, capacity in
      unsafe values.withUnsafeBufferPointer { values in
        unsafe limits_produce(
          bootstrap, topic, workload.partitionCount, UInt64(workload.records), values.baseAddress,
          workload.valueBytes, Self.batchRecords, result, text, capacity)
      }
    }
  }
}

/// Calls one of the C loops.
func measureInC(
  _ body: (UnsafeMutablePointer<limits_result_t>, UnsafeMutablePointer<CChar>, Int) -> Int32
) throws -> Measurement {
  var result = limits_result_t()
  var text = [CChar](repeating: 0, count: 512)
  let code = unsafe text.withUnsafeMutableBufferPointer { text in
    unsafe text.baseAddress.map { unsafe body(&result, $0, text.count) } ?? -1
  }
  guard code == 0 else {
    let message = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw HeadraceError(.external, "LIMIT", "the C loop failed: \(message)")
  }
  return Measurement(
    records: Int(result.messages), bytes: Int(result.bytes), seconds: result.seconds, allocations: result.allocations)
}
