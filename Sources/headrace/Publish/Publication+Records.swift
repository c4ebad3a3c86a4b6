internal import Contracts
internal import Core
internal import Kafka

extension Publication {
  /// Records that wait for their batch to be full.
  private static let batchRecordsMax = 5_000
  private static let batchBytesMax = 1 << 20

  /// Turns documents into records, at their pace.
  func publish(_ documents: borrowing DocumentBatch, of file: String) throws {
    // Rows that are no documents come out of order with those that are: both are in the order of their lines.
    var faults = documents.faults[...]
    for document in 0..<documents.count {
      progress.document = document
      while let fault = faults.first, fault.line < documents.lines[document] {
        try handle(fault, of: file)
        faults.removeFirst()
        guard end == nil else { return }
      }
      switch fields.outcome(document: document, of: documents) {
      case .blank: continue
      case .fault(let fault): try handle(fault, of: file)
      case .event(let event): try publish(event, document: document, of: documents, file: file)
      }
      guard end == nil else { return }
    }
    for fault in faults where end == nil { try handle(fault, of: file) }
    warn(
      retention.observe(
        oldestMilliseconds: oldestMilliseconds, publishedBytes: receipt.sentBytes,
        nowMilliseconds: WallClock.system.nowMilliseconds))
  }

  private func handle(_ fault: InputFault, of file: String) throws {
    progress.clear()
    if plan.skipsFaults {
      receipt.skipped += 1
      StandardError.write("skipped: \(fault.description(file: file))")
    } else {
      StandardError.write("error: \(fault.description(file: file))")
      StandardError.write("stopped before this line; --on-error skip leaves such lines out")
      end = .failed
    }
  }

  private func publish(
    _ event: EventFields.Event, document: Int, of documents: borrowing DocumentBatch, file: String
  ) throws {
    guard try isDue(event, file: file) else { return }
    if let key = event.key { take(key, of: documents) }
    if event.key == nil && plan.key != nil { receipt.recordsWithoutKey += 1 }
    try append(
      documents.bytes.span, documents.trimmedRange(of: document), hasKey: event.key != nil,
      timestampMilliseconds: event.timeMilliseconds)
    batchLines.append(documents.lines[document])
    if let time = event.timeMilliseconds { oldestMilliseconds = min(oldestMilliseconds ?? time, time) }
    if batch.count >= Self.batchRecordsMax || batch.sizeBytes >= Self.batchBytesMax { try send(from: file) }
  }

  private func append(
    _ bytes: Span<UInt8>, _ range: Range<Int>, hasKey: Bool, timestampMilliseconds: Int64?
  ) throws(HeadraceError) {
    let value = unsafe bytes.extracting(range).bytes
    if hasKey {
      let key = keyText
      unsafe try batch.append(key: key.span.bytes, value: value, timestampMilliseconds: timestampMilliseconds)
    } else {
      try batch.append(value: value, timestampMilliseconds: timestampMilliseconds)
    }
  }

  private func take(_ key: JSONValue, of documents: borrowing DocumentBatch) {
    keyText.removeAll(keepingCapacity: true)
    if key.kind == .escapedString {
      JSONText.unescape(documents.bytes.span.extracting(key.range), into: &keyText)
    } else {
      keyText += documents.bytes[key.range]
    }
  }

  /// Waits until the event is due; false when a signal came first.
  private func isDue(_ event: EventFields.Event, file: String) throws -> Bool {
    guard plan.pace != .unlimited else { return true }
    while !stop.isRaised {
      let wait = pacer.waitMilliseconds(
        eventTime: event.timeMilliseconds, nowMilliseconds: WallClock.monotonic.nowMilliseconds)
      guard wait > 0 else { return true }
      // What is due must be on its way before the pause.
      if !batch.isEmpty { try send(from: file) }
      serve(waitingMilliseconds: Int32(clamping: min(wait, 100)))
    }
    end = stop.status
    return false
  }

  /// Hands the batch to the producer, and waits while too much is on its way.
  func send(from file: String) throws {
    if !batch.isEmpty {
      receipt.sentBytes += batch.sizeBytes
      let number = try producer.send(batch)
      origins.add(batch: number, file: file == "-" ? "stdin" : file, lines: batchLines)
      batch.removeAll()
      batchLines.removeAll(keepingCapacity: true)
    }
    serve(waitingMilliseconds: 0)
    while end == nil && producer.outstanding > Self.outstandingMax { serve(waitingMilliseconds: 50) }
  }

  /// Reads delivery reports, and whether a signal came.
  func serve(waitingMilliseconds: Int32) {
    producer.poll(timeoutMilliseconds: waitingMilliseconds)
    for report in producer.takeReports() {
      receipt.add(report)
      let failures = origins.settle(report)
      guard !failures.isEmpty else { continue }
      progress.clear()
      for failure in failures {
        failuresShown += 1
        if failuresShown <= Self.failuresShownMax { StandardError.write("error: \(failure)") }
      }
      if !plan.skipsFaults { end = end ?? .partial }
    }
    if let status = stop.status { end = end ?? status }
    progress.draw(receipt)
  }

  /// Waits for every record that was sent: each is acknowledged or failed when this returns.
  func drain() throws {
    while producer.outstanding > 0 { serve(waitingMilliseconds: 50) }
    serve(waitingMilliseconds: 0)
  }
}
