internal import Core
internal import Kafka

/// Generated events as records of a topic. Lives on one thread that may block.
final class GeneratedRecords {
  private static let batchRecordsMax = 5_000

  private let generator: PaymentsGenerator
  private let count: Int64
  private let plan: Publication.Plan
  private let stop: StopRequest
  private let producer: Producer
  private let progress = PublishProgress(files: ["-"])
  private let startMilliseconds = WallClock.monotonic.nowMilliseconds
  private var pacer: Pacer
  private var batch: ProduceBatch
  /// The event that is being made.
  private var event: [UInt8] = []
  private var receipt = Receipt()
  private var end: ExitStatus?

  init(
    _ generator: PaymentsGenerator, count: Int64?, _ plan: Publication.Plan, _ target: PublishTarget,
    _ client: ClientConfiguration, _ stop: StopRequest
  ) throws {
    self.generator = generator
    self.count = count ?? .max
    self.plan = plan
    self.stop = stop
    var configuration = ProducerConfiguration(client: client)
    configuration.compression = plan.compression
    configuration.partitioner = plan.partitioner
    producer = try Producer(configuration)
    pacer = Pacer(plan.pace)
    batch = ProduceBatch(topic: plan.topic, partitioner: plan.partitioner, partitionCount: target.partitionCount)
  }

  func run() throws -> ExitStatus {
    defer { producer.close() }
    var number: Int64 = 0
    while number < count, try isDue() {
      try append(number)
      number += 1
      if batch.count >= Self.batchRecordsMax { try send() }
    }
    try send()
    while producer.outstanding > 0 { serve(waitingMilliseconds: 50) }
    serve(waitingMilliseconds: 0)
    progress.clear()
    try report()
    return receipt.failed > 0 ? .partial : end ?? .success
  }

  private func append(_ number: Int64) throws(HeadraceError) {
    event.removeAll(keepingCapacity: true)
    let made = generator.append(number, to: &event)
    let bytes = event
    let span = bytes.span
    unsafe try batch.append(
      key: span.extracting(made.key).bytes, value: span.bytes, timestampMilliseconds: made.arrivalMilliseconds)
  }

  /// Waits until the next event is due; false when the work is at its end.
  private func isDue() throws -> Bool {
    while end == nil {
      let wait = pacer.waitMilliseconds(eventTime: nil, nowMilliseconds: WallClock.monotonic.nowMilliseconds)
      guard wait > 0 else { return true }
      // What is due must be on its way before the pause.
      try send()
      serve(waitingMilliseconds: Int32(clamping: min(wait, 100)))
    }
    return false
  }

  private func send() throws(HeadraceError) {
    if !batch.isEmpty {
      receipt.sentBytes += batch.sizeBytes
      try producer.send(batch)
      batch.removeAll()
    }
    serve(waitingMilliseconds: 0)
    while end == nil && producer.outstanding > Publication.outstandingMax { serve(waitingMilliseconds: 50) }
  }

  /// Reads delivery reports, and whether a signal came.
  private func serve(waitingMilliseconds: Int32) {
    producer.poll(timeoutMilliseconds: waitingMilliseconds)
    for report in producer.takeReports() {
      receipt.add(report)
      guard let failure = report.failures.first else { continue }
      progress.clear()
      StandardError.write("error: not acknowledged: \(failure.code.explanation) [\(failure.code)]")
      end = end ?? .partial
    }
    if let status = stop.status { end = end ?? status }
    progress.draw(receipt)
  }

  private func report() throws {
    let milliseconds = WallClock.monotonic.nowMilliseconds - startMilliseconds
    do {
      switch plan.output {
      case .table where receipt.acknowledged > 0:
        try StandardOutput.writeAll(Array(receipt.table(topic: plan.topic).utf8))
      case .table: break
      case .json: try StandardOutput.writeAll(receipt.json(topic: plan.topic, milliseconds: milliseconds))
      }
    } catch is StandardOutput.Closed {
      // Nobody reads the receipt; the summary below still says how it went.
    }
    StandardError.write(receipt.summary(topic: plan.topic, milliseconds: milliseconds))
  }
}
