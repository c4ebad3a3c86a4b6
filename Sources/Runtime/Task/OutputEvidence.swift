internal import Core
internal import Kafka
internal import Topology

/// What the task's own committed outputs say about C when the group has lost its offsets (DESIGN section 4, step 3).
///
/// Every output names the record that it comes from, and the outputs of one input are in the log in the order of its
/// records. So everything up to the newest one was emitted, and between that and the C that is lost nothing was: to
/// emit from behind it repeats nothing and leaves nothing out. Asked for after older lives of the task are fenced.
struct OutputEvidence {
  let task: Int32
  let context: TaskContext

  /// What became of one partition of an output topic.
  private struct Scan {
    /// One past the newest record of the source that something was emitted for, by input.
    var next: [Int: Int64] = [:]
    /// Nothing was ever deleted from it, and all of it was read.
    var isWhole = false
  }

  /// - Parameters:
  ///   - lost: the inputs that the group has no offset of.
  ///   - saved: S of every input.
  /// - Returns: for each of the lost ones where it is emitted from, at least S. nil with a state: outputs were deleted
  ///   that might have told. nil without one: nothing was ever emitted, or nobody knows.
  func committed(lost: Set<Int>, saved: [Int64?]) throws(HeadraceError) -> [Int64?] {
    var scans = [[Scan]](repeating: [], count: saved.count)
    let outputs = try outputPartitions(lost)
    if !outputs.isEmpty {
      var settings = ConsumerConfiguration(client: context.configuration.client, groupID: nil)
      settings.prefetchKibibytesMaximum = 8_192
      let consumer = try Consumer(settings)
      defer { _ = try? consumer.close(timeoutMilliseconds: 1_000) }
      let ends = try consumer.watermarks(outputs.map(\.partition))
      for output in outputs {
        guard let ends = ends[output.partition] else {
          throw HeadraceError(
            .unknownTopicOrPartition, "the log has no such partition", place: output.partition.description)
        }
        let scan = try scan(consumer, output.partition, ends.beginning..<max(ends.end, ends.beginning), output.inputs)
        for input in output.inputs { scans[input].append(scan) }
      }
    }
    return saved.indices.map { input in
      guard lost.contains(input) else { return nil }
      let newest = scans[input].compactMap { $0.next[input] }.max()
      guard let saved = saved[input] else { return newest }
      guard scans[input].allSatisfy({ $0.next[input] != nil || $0.isWhole }) else { return nil }
      return max(saved, newest ?? saved)
    }
  }

  /// Where the task writes, and which of the lost inputs may have caused that.
  private func outputPartitions(
    _ lost: Set<Int>
  ) throws(HeadraceError) -> [(partition: TopicPartition, inputs: Set<Int>)] {
    var found: [(partition: TopicPartition, inputs: Set<Int>)] = []
    let plan = context.plan
    let sources = lost.filter { if case .sources = context.inputs[$0].role { true } else { false } }
    if context.configuration.writesRejectedRecords {
      for topic in [plan.deadLetterTopic, plan.lateTopic] {
        found.append((TopicPartition(topic: topic, partition: task), sources))
      }
    }
    for topic in plan.predictionTopics {
      let input = sources.filter { context.inputs[$0].topic == topic.input }
      found.append((TopicPartition(topic: topic.name, partition: task), input))
    }
    for view in plan.views {
      guard let topic = view.repartitionTopic else { continue }
      let input = sources.filter { context.inputs[$0].topic == plan.sources[view.source].topic }
      for partition in 0..<context.partitionCount {
        found.append((TopicPartition(topic: topic, partition: partition), input))
      }
    }
    return found.filter { !$0.inputs.isEmpty }
  }

  private static let firstStep: Int64 = 1_000
  private static let stepGrowth: Int64 = 16

  /// Looks from the end backwards, in steps that grow, until every writer was met.
  private func scan(
    _ consumer: Consumer, _ partition: TopicPartition, _ log: Range<Int64>, _ writers: Set<Int>
  ) throws(HeadraceError) -> Scan {
    var scan = Scan()
    var step = Self.firstStep
    var end = log.upperBound
    while end > log.lowerBound, !writers.isSubset(of: scan.next.keys) {
      let start = max(log.lowerBound, end &- step)
      for (input, next) in try read(consumer, partition, start..<end) where scan.next[input] == nil {
        scan.next[input] = next
      }
      end = start
      step = step.multipliedReportingOverflow(by: Self.stepGrowth).partialValue
    }
    scan.isWhole = log.lowerBound == 0
    return scan
  }

  /// The newest place of each input in a part of an output partition.
  private func read(
    _ consumer: Consumer, _ partition: TopicPartition, _ offsets: Range<Int64>
  ) throws(HeadraceError) -> [Int: Int64] {
    var next: [Int: Int64] = [:]
    // Another task's transaction may be open in front of what is looked for: it ends, at the latest by its time-out.
    let deadline =
      WallClock.monotonic.nowMilliseconds + 2 * Int64(context.configuration.transactionTimeoutMilliseconds)
      + Int64(context.configuration.client.requestTimeoutMilliseconds)
    do {
      try consumer.assign([partition: .offset(offsets.lowerBound)])
      while try consumer.position(of: partition) < offsets.upperBound {
        try consumer.poll(timeoutMilliseconds: 100) { records in
          for index in records.indices {
            let record = records[index]
            guard record.offset < offsets.upperBound, let place = origin(of: record, in: partition) else { continue }
            next[place.input] = max(next[place.input] ?? 0, place.next)
          }
        }
        guard WallClock.monotonic.nowMilliseconds < deadline else {
          throw HeadraceError(
            .external, "OUTPUTS_UNREADABLE", "the task's outputs could not be read to their end in time",
            retry: .sameCall, place: partition.description, remedy: "check that its broker is up and reachable")
        }
      }
    } catch {
      throw error as? HeadraceError ?? HeadraceError(.internal, "OUTPUTS_UNREADABLE", "\(error)")
    }
    return next
  }

  /// Which record of this task an output comes from.
  private func origin(
    of record: borrowing ConsumedRecord, in partition: TopicPartition
  ) -> (input: Int, next: Int64)? {
    if let view = context.plan.views.first(where: { $0.repartitionTopic == partition.topic }) {
      guard let value = record.value, let envelope = try? DeltaEnvelope(decoding: value), envelope.partition == task
      else { return nil }
      let topic = context.plan.sources[view.source].topic
      return context.inputs.firstIndex { $0.topic == topic }.map { ($0, envelope.nextOffset) }
    }
    guard let header = record.headers.last(TaskOutputs.sourceHeader) else { return nil }
    let text = unsafe header.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    guard let at = text.lastIndex(of: "@"), let offset = Int64(text[text.index(after: at)...]),
      let input = context.inputs.firstIndex(where: { "\($0.topic)/\(task)" == text[..<at] })
    else { return nil }
    return (input, offset &+ 1)
  }
}
