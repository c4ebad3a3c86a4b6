package import Core
internal import CRDKafka

/// What one poll did.
package struct PollResult: Sendable {
  /// Records that were handed over.
  package var records = 0
  /// Partitions that are read to their end, when the configuration asks for it.
  package var endsReached: [TopicPartition] = []
  /// Batches that are due and that nobody can read, when the configuration asks for them.
  package var unreadable: [UnreadableBatch] = []
}

/// A batch that the client refuses to expand: damaged, or a bomb.
package struct UnreadableBatch: Sendable {
  package var partition: TopicPartition
  /// The first offset that is due and lies in it. How many records it has nobody says.
  package var offset: Int64
  package var reason: String
}

extension Consumer {
  /// Waits for records and hands them over, one batch per run of the same partition.
  ///
  /// Also serves everything else that the library has for this thread: rebalances, log lines, errors.
  ///
  /// - Parameters:
  ///   - timeoutMilliseconds: how long to wait for a first record; with records at hand the call does not wait.
  ///   - body: borrows the batch. Records count as handed over when it returns; if it throws, the next poll begins with
  ///     them again. It may pause, seek and commit, but not poll.
  /// - Throws: what `body` or the listener throws, and `HeadraceError`: the consumer stays usable unless its `retry` is
  ///   `newInstance`.
  @discardableResult
  package func poll(
    timeoutMilliseconds: Int32, _ body: (borrowing ConsumedBatch) throws -> Void
  ) throws -> PollResult {
    let instance = try open()
    guard !isInsidePoll else {
      throw HeadraceError(.internal, "POLL_INSIDE_POLL", "poll was called from inside of its own callback")
    }
    isInsidePoll = true
    defer { isInsidePoll = false }
    try applyRebalances(instance)
    try applySeeks(instance)
    let count = unsafe headrace_consume(
      instance.queue.handle, timeoutMilliseconds, instance.messages.messages, instance.messages.capacity)
    if RDClient.oversleeps { ringPrefetchAlarm(instance) }
    var cursor = 0
    defer {
      if cursor < count { abandon(cursor..<count, of: instance.messages) }
      instance.messages.giveBack(count)
    }
    try applyRebalances(instance)
    var result = PollResult()
    try handOver(count, of: instance, from: &cursor, into: &result, body)
    return result
  }

  private func ringPrefetchAlarm(_ instance: Instance) {
    let queued = unsafe rd_kafka_queue_length(instance.queue.handle)
    guard prefetchAlarm.isDue(queued: queued, nowMilliseconds: WallClock.monotonic.nowMilliseconds) else { return }
    instance.client.wakeBrokerThreads(configuration.client)
  }

  private func handOver(
    _ count: Int, of instance: Instance, from cursor: inout Int, into result: inout PollResult,
    _ body: (borrowing ConsumedBatch) throws -> Void
  ) throws {
    let messages = unsafe instance.messages.messages
    var failure: HeadraceError?
    while cursor < count {
      guard let first = unsafe messages[cursor] else { break }
      if unsafe first.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
        do {
          unsafe try handleEvent(first, of: instance, into: &result)
        } catch {
          failure = failure ?? error
        }
        cursor += 1
        continue
      }
      let end = unsafe headrace_run_end(messages, cursor, count)
      guard let partition = ownedByRecordKey[unsafe RecordKey(first)] else {
        handedOver.staleRecords += Int64(end - cursor)
        cursor = end
        continue
      }
      try handOver(cursor..<end, of: partition, in: instance.messages, from: &cursor, into: &result, body)
    }
    if let failure { throw failure }
  }

  /// Hands over one run of records, without what its owner has already.
  private func handOver(
    _ run: Range<Int>, of partition: OwnedPartition, in buffer: MessageBuffer, from cursor: inout Int,
    into result: inout PollResult, _ body: (borrowing ConsumedBatch) throws -> Void
  ) throws {
    let messages = unsafe buffer.messages
    var start = run.lowerBound
    while start < run.upperBound {
      guard !partition.needsSeek, !partition.isPaused else {
        handedOver.discardedRecords += Int64(run.upperBound - start)
        cursor = run.upperBound
        return
      }
      let offset = unsafe messages[start]?.pointee.offset ?? -1
      switch partition.continuity.judge(offset) {
      case .stale:
        handedOver.staleRecords += 1
        start += 1
        cursor = start
      case .readAgain:
        partition.needsSeek = true
      case .unstable:
        throw HeadraceError(
          .external, "UNSTABLE_LOG",
          "offset \(partition.continuity.nextOffset) was due, and each reading began with another record",
          place: partition.partition.description, remedy: "close this consumer and start again")
      case .deliver:
        try deliver(start..<run.upperBound, of: partition, in: buffer, body)
        result.records += run.upperBound - start
        cursor = run.upperBound
        return
      }
    }
  }

  private func deliver(
    _ run: Range<Int>, of partition: OwnedPartition, in buffer: MessageBuffer,
    _ body: (borrowing ConsumedBatch) throws -> Void
  ) throws {
    let nextOffset = unsafe (buffer.messages[run.upperBound - 1]?.pointee.offset ?? -1) + 1
    let before = partition.continuity
    do {
      let batch = unsafe ConsumedBatch(
        buffer.messages + run.lowerBound, count: run.count, partition: partition.partition,
        ownership: partition.ownership)
      try body(batch)
    } catch {
      // The records before these are handed over, these are not: come back to them.
      partition.restart(at: before.nextOffset)
      throw error
    }
    handedOver.deliveredRecords += Int64(run.count)
    // A seek inside `body` moved the position on purpose.
    if !partition.needsSeek { partition.continuity.advance(to: nextOffset) }
  }

  /// An event of the library that travels among the records.
  private func handleEvent(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>, of instance: Instance, into result: inout PollResult
  ) throws(HeadraceError) {
    let code = KafkaErrorCode(unsafe message.pointee.err)
    let partition = unsafe ownedByRecordKey[RecordKey(message)]
    switch code {
    case .partitionEnd:
      if let partition, !partition.needsSeek { result.endsReached.append(partition.partition) }
    case .automaticOffsetReset, .offsetOutOfRange:
      if let partition { try handleOutOfRange(partition, of: instance) }
    case .badCompression where partition != nil && configuration.reportsUnreadableBatches:
      guard let partition, !partition.needsSeek else { return }
      let text = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) } ?? code.explanation
      let offset = max(partition.continuity.nextOffset, unsafe message.pointee.offset)
      result.unreadable.append(UnreadableBatch(partition: partition.partition, offset: offset, reason: text))
    case .fatal:
      throw instance.client.fatalError ?? HeadraceError(code, while: "poll")
    default:
      let text = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) } ?? code.explanation
      // A reader without a group needs no right to one.
      let isOfUnusedGroup = configuration.groupID == nil && code == .groupAuthorizationFailed
      guard !code.isRetriable, !isOfUnusedGroup else { return instance.client.callbacks.note(code, text) }
      let topic = unsafe message.pointee.rkt.map { unsafe String(cString: rd_kafka_topic_name($0)) }
      throw HeadraceError(code, text, place: partition?.partition.description ?? topic)
    }
  }

  /// Records that could not be handed over: goes back to the first of each partition.
  private func abandon(_ range: Range<Int>, of buffer: MessageBuffer) {
    for index in range {
      guard let message = unsafe buffer.messages[index] else { continue }
      guard let partition = unsafe ownedByRecordKey[RecordKey(message)], !partition.needsSeek else { continue }
      partition.restart(at: partition.continuity.nextOffset)
    }
    handedOver.discardedRecords += Int64(range.count)
  }
}

extension RecordKey {
  init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
    self.init(
      topic: unsafe UInt(bitPattern: message.pointee.rkt), partition: unsafe message.pointee.partition)
  }
}
