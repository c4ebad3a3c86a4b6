internal import Core
internal import Kafka
internal import Logging
internal import OnlineStore
internal import Topology

// Records: below the restart's C to the state alone, from it on to the outputs too.

extension PartitionTask {
  /// Applies a batch of one of the task's inputs. Called inside of a poll: failures are acted upon behind it.
  func process(_ records: borrowing ConsumedBatch) {
    guard machine.phase == .running, pendingFailure == nil,
      let index = inputs.firstIndex(where: { $0.partition == records.partition })
    else { return }
    let input = inputs[index]
    // It comes again when the archive is read.
    guard input.archive == nil else { return }
    input.lastRecordAtMilliseconds = WallClock.monotonic.nowMilliseconds
    if input.isWithoutDigest, !machine.inputs[index].isReplaying { input.isWithoutDigest = false }
    do throws(HeadraceError) {
      let first = try skip(records, input, below: machine.inputs[index].applied)
      guard machine.phase == .running else { return }
      let emitsFrom = machine.inputs[index].emitsFrom
      var split = records.count
      while split > first, records[split - 1].offset >= emitsFrom { split -= 1 }
      if first < split {
        RuntimeKillPoint.pass(.restartReplaying)
        guard try apply(records, first..<split, index, input, outputs: nil) else { return }
      }
      if machine.inputs[index].applied < emitsFrom, split < records.count {
        // What lies between the last record below C and C are markers.
        follow(.applied(input: index, offset: emitsFrom))
      }
      if first < split { compareDigest(index, input) }
      guard machine.phase == .running, max(first, split) < records.count else { return }
      _ = try apply(records, max(first, split)..<records.count, index, input, outputs: outputs)
    } catch {
      pendingFailure = error
    }
    publish()
  }

  /// Everything of an input that is in the log was handed over.
  func reachedEnd(of partition: TopicPartition) {
    guard machine.phase == .running, pendingFailure == nil,
      let index = inputs.firstIndex(where: { $0.partition == partition })
    else { return }
    let input = inputs[index]
    guard input.archive == nil else { return }
    let progress = machine.inputs[index]
    if progress.isReplaying {
      // Behind the last record there are only markers up to C.
      follow(.applied(input: index, offset: progress.emitsFrom))
      compareDigest(index, input)
    }
    input.endOffset = machine.inputs[index].applied
    publish()
  }

  /// The batch that is due cannot be read. Each of its records is passed over by itself, one with each answer of the
  /// broker, for nobody says how many there are: slow, in bounded memory, and every offset is accounted for.
  func passOver(_ batch: UnreadableBatch) {
    guard machine.phase == .running, pendingFailure == nil,
      let index = inputs.firstIndex(where: { $0.partition == batch.partition })
    else { return }
    let input = inputs[index]
    guard input.archive == nil, batch.offset >= machine.inputs[index].applied else { return }
    guard input.deltas == nil else {
      // Our own records: something else is wrong.
      pendingFailure = HeadraceError(
        .external, "BATCH_UNREADABLE", batch.reason, retry: .sameCall,
        place: "\(batch.partition) offset \(batch.offset)")
      return
    }
    logger.error(
      "a record cannot be read, and is passed over",
      metadata: ["partition": "\(batch.partition)", "offset": "\(batch.offset)", "reason": "\(batch.reason)"])
    let isEmitting = machine.emits(index, at: batch.offset)
    for source in input.sources { source.passOver(batch.offset, outputs: isEmitting ? outputs : nil) }
    follow(.applied(input: index, offset: batch.offset + 1))
    compareDigest(index, input)
    do throws(HeadraceError) {
      try consumer.seek(batch.partition, to: batch.offset + 1)
    } catch {
      pendingFailure = error
    }
    publish()
  }

  /// - Returns: whether all of them are done.
  private func apply(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>, _ index: Int, _ input: TaskInput, outputs: TaskOutputs?
  ) throws(HeadraceError) -> Bool {
    let done = try traced(records, range, isEmitting: outputs != nil) { () throws(HeadraceError) in
      try input.process(records, range, outputs: outputs)
    }
    if done > 0 {
      let last = records[range.lowerBound + done - 1].offset
      follow(.applied(input: index, offset: last + 1))
      if let end = input.endOffset, end <= last { input.endOffset = last + 1 }
    }
    guard done < range.count else {
      schemaTrouble = nil
      return true
    }
    // The schema of this record is not known yet: it is read again when somebody had the time to fetch it.
    let waiting = records[range.lowerBound + done].offset
    try consumer.seek(input.partition, to: waiting)
    waitsForSchemaUntilMilliseconds = WallClock.monotonic.nowMilliseconds + 200
    schemaTrouble =
      "\(input.partition) offset \(waiting): the schema registry has not said yet what the record's schema is"
    return false
  }

  /// Records how long a batch took, and its spans when its outputs are sent.
  private func traced(
    _ records: borrowing ConsumedBatch, _ range: Range<Int>, isEmitting: Bool,
    _ body: () throws(HeadraceError) -> Int
  ) throws(HeadraceError) -> Int {
    let tracer = isEmitting ? instruments.tracer : nil
    let started = WallClock.monotonicNanoseconds
    tracer?.begin(records, range)
    outputs.batchTrace = tracer?.batchHeader ?? []
    let result: Result<Int, HeadraceError>
    do throws(HeadraceError) { result = .success(try body()) } catch { result = .failure(error) }
    var failure: HeadraceError?
    if case .failure(let error) = result { failure = error }
    let span = tracer?.end(records, range, failure: failure)
    outputs.batchTrace = []
    if let span { tracedBatches.append(span) }
    instruments.durations.record(nanoseconds: WallClock.monotonicNanoseconds &- started, trace: span)
    return try result.get()
  }

  /// The first record that is not in the state yet. Looks on the way at the one that the state saw last.
  private func skip(
    _ records: borrowing ConsumedBatch, _ input: TaskInput, below offset: Int64
  ) throws(HeadraceError) -> Int {
    var index = 0
    while index < records.count, records[index].offset < offset {
      if !input.isContinued(by: records[index]) {
        let number = inputs.firstIndex { $0 === input } ?? 0
        follow(.contradicted(.topicRecreated(input: number, offset: records[index].offset)))
      }
      index += 1
    }
    input.expectedWitness = nil
    return index
  }

  /// At C the digest must be the one that was committed with it, if the same plan read up to there.
  private func compareDigest(_ index: Int, _ input: TaskInput) {
    guard !machine.inputs[index].isReplaying, let metadata = input.committedMetadata else { return }
    input.committedMetadata = nil
    guard !input.isWithoutDigest else {
      input.isWithoutDigest = false
      return
    }
    guard metadata.planFingerprint == context.plan.fingerprint.value, metadata.digest != input.digest else { return }
    follow(.contradicted(.digestDiffers(input: index, offset: machine.inputs[index].emitsFrom)))
  }
}
