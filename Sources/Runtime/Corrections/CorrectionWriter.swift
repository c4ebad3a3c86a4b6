internal import Core
internal import Kafka
internal import Topology

/// Publishes corrections of one model, transaction by transaction; whoever comes later fences it.
final class CorrectionWriter {
  private static let batchRecordsMaximum = 5_000
  private static let batchBytesMaximum = 4 << 20
  private static let timeoutMilliseconds: Int32 = 30_000
  private static let idHeader = "headrace-correction"

  private let id: String
  private let producer: TransactionalProducer
  private var batch: ProduceBatch

  /// Transactions of an older life are aborted, or decided, when this returns.
  init(_ request: CorrectionRequest, _ model: ModelPlan, _ client: ClientConfiguration) throws(HeadraceError) {
    id = request.id
    batch = ProduceBatch(topic: model.outputTopic)
    var settings = ProducerConfiguration(client: client)
    settings.compression = .lz4
    var transaction = TransactionConfiguration(transactionalID: "\(request.plan.name)-correct-\(model.name)")
    transaction.timeoutMilliseconds = Self.timeoutMilliseconds
    producer = try TransactionalProducer(settings, transaction)
    try producer.initialize(timeoutMilliseconds: 3 * Self.timeoutMilliseconds)
  }

  func close() { producer.close() }

  func append(_ value: [UInt8], key: RawSpan?, partition: Int32) throws(HeadraceError) {
    if batch.count >= Self.batchRecordsMaximum || batch.sizeBytes >= Self.batchBytesMaximum { try commit(nil) }
    unsafe try batch.append(key: key, value: value.span.bytes, partition: partition)
    try batch.appendHeader(Self.idHeader, id)
  }

  /// The rest, and who did it, in one transaction.
  func finish(_ record: CorrectionRecord) throws(HeadraceError) { try commit(record) }

  private func commit(_ record: CorrectionRecord?) throws(HeadraceError) {
    try producer.begin()
    do throws(HeadraceError) {
      if !batch.isEmpty { try producer.send(batch) }
      if let record {
        var control = ProduceBatch(topic: ControlLog.topic)
        try ControlRecord.corrected(record).append(to: &control)
        try producer.send(control)
      }
      try producer.flush(timeoutMilliseconds: Self.timeoutMilliseconds)
      CorrectionKillPoint.pass(.beforeEnd)
      try producer.commit(timeoutMilliseconds: Self.timeoutMilliseconds)
    } catch {
      if error.retry == .abortTransaction { try? producer.abort(timeoutMilliseconds: Self.timeoutMilliseconds) }
      throw error
    }
    CorrectionKillPoint.pass(.afterEnd)
    batch.removeAll()
  }
}
