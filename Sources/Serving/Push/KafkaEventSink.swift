package import Core
package import Kafka

/// Pushed events into the topics of sources, through one producer with a thread of its own.
///
/// Pushes that come at the same time share the producer's batches; each returns when its own records are acknowledged.
package final class KafkaEventSink: EventSink {
  /// Where the events of a source go.
  package struct Target: Sendable {
    package var topic: String
    /// Nil where no rule tells where the records of a key are.
    package var partitioner: Partitioner?

    package init(topic: String, partitioner: Partitioner?) {
      self.topic = topic
      self.partitioner = partitioner
    }
  }

  private let targets: [Target]
  private let thread: BlockingThread
  private let pushes: Confined<PushesUnderWay>

  /// - Parameter targets: of each source, in the catalog's order.
  package init(client: ClientConfiguration, targets: [Target]) async throws {
    self.targets = targets
    thread = try BlockingThread(name: "push")
    var configuration = ProducerConfiguration(client: client)
    // Somebody waits for every push: what waits for company waits for nothing.
    configuration.lingerMilliseconds = 0
    let fixed = configuration
    pushes = try await Confined(on: thread) { PushesUnderWay(try Producer(fixed)) }
  }

  /// The same producer with other topics: another plan has other sources, or has them in another order.
  package func aimed(at targets: [Target]) -> KafkaEventSink { KafkaEventSink(targets, thread, pushes) }

  private init(_ targets: [Target], _ thread: BlockingThread, _ pushes: Confined<PushesUnderWay>) {
    self.targets = targets
    self.thread = thread
    self.pushes = pushes
  }

  package func publish(
    _ records: [PushedRecord], source: Int, timeoutMilliseconds: Int64
  ) async throws(HeadraceError) -> [RecordOffset] {
    let target = targets[source]
    let answer: Result<[RecordOffset], HeadraceError> = await withCheckedContinuation { continuation in
      let push = PushesUnderWay.Push(
        topic: target.topic, deadlineMilliseconds: WallClock.monotonic.nowMilliseconds &+ timeoutMilliseconds,
        resume: { continuation.resume(returning: $0) })
      Task {
        do {
          try await pushes.run { $0.send(records, to: target, push) }
          pump()
        } catch {
          push.resume(.failure(HeadraceError(.internal, "PUSH_STOPPED", "the server is stopping", retry: .sameCall)))
        }
      }
    }
    return try answer.get()
  }

  /// Serves delivery reports until nothing is under way. Pushes that come meanwhile take their turn in between.
  private func pump() {
    Task {
      let isDone = (try? await pushes.run { $0.serve() }) ?? true
      if !isDone { pump() }
    }
  }
}

/// Lives on the sink's thread.
private final class PushesUnderWay {
  struct Push: Sendable {
    var topic: String
    var deadlineMilliseconds: Int64
    var resume: @Sendable (Result<[RecordOffset], HeadraceError>) -> Void
  }

  private let producer: Producer
  private var partitionCounts: [String: Int32] = [:]
  private var pushes: [UInt32: Push] = [:]

  init(_ producer: Producer) { self.producer = producer }

  func send(_ records: [PushedRecord], to target: KafkaEventSink.Target, _ push: Push) {
    do throws(HeadraceError) {
      var batch = ProduceBatch(
        topic: target.topic, partitioner: target.partitioner ?? .murmur2,
        partitionCount: try partitionCount(of: target.topic))
      for record in records {
        let value = unsafe record.value.span.bytes
        let timestamp = record.timestampMilliseconds
        if let key = record.key {
          unsafe try batch.append(key: key.span.bytes, value: value, timestampMilliseconds: timestamp)
        } else {
          try batch.append(key: nil as RawSpan?, value: value, timestampMilliseconds: timestamp)
        }
      }
      pushes[try producer.send(batch)] = push
    } catch {
      push.resume(.failure(error))
    }
  }

  /// - Returns: whether nothing is under way any more.
  func serve() -> Bool {
    guard !pushes.isEmpty else { return true }
    producer.poll(timeoutMilliseconds: 1)
    for report in producer.takeReports() {
      guard let push = pushes.removeValue(forKey: report.batch) else { continue }
      push.resume(report.error.map { .failure($0) } ?? .success(report.recordOffsets(in: push.topic)))
    }
    let now = WallClock.monotonic.nowMilliseconds
    for (number, push) in pushes where push.deadlineMilliseconds < now {
      pushes[number] = nil
      push.resume(
        .failure(
          HeadraceError(
            .external, "PUSH_TIMED_OUT", "the broker has not acknowledged the events in time: they may be stored",
            retry: .unknownOutcome, place: push.topic)))
    }
    return pushes.isEmpty
  }

  private func partitionCount(of topic: String) throws(HeadraceError) -> Int32 {
    if let known = partitionCounts[topic] { return known }
    let count = try producer.partitionCount(of: topic)
    partitionCounts[topic] = count
    return count
  }
}

extension DeliveryReport {
  fileprivate func recordOffsets(in topic: String) -> [RecordOffset] {
    offsets.map { RecordOffset(topic: topic, partition: $0.partition, offset: $0.last) }
  }
}
