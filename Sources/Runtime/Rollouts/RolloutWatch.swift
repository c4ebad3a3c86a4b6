package import Contracts
internal import Core
internal import Drift
package import Kafka
internal import Registry
internal import Synchronization

/// Follows the predictions of rollouts: figures, gates, verdicts.
///
/// A view of the prediction topics, never a side effect of scoring: it reads what is committed, from where the rollout
/// began, and whoever begins later comes to the same figures.
package final class RolloutWatch: Sendable {
  // Unchecked: the thread that watches is the only one that touches it.
  private final class Reader: @unchecked Sendable {
    var watched: [WatchedRollout] = []
    var figures: [RolloutWindow] = []
    /// Verdicts that are not taken yet, and whether one has fallen.
    var due: [(WatchedRollout, RolloutJudge.Verdict)] = []
    var isDecided: [Bool] = []
    /// The newest offset that was read, by topic and partition.
    var offsets: [TopicPartition: Int64] = [:]
    var consumer: Consumer?
    var partitions: [TopicPartition] = []
    var fields: PredictionFields?
    /// Something was read that is not shown yet.
    var isDirty = false
    var nextLookAtMilliseconds: Int64 = 0
  }

  private let reader = Reader()
  private let shown = Mutex<[RolloutReport]>([])

  /// Those under way, as this process sees them; empty in a process without the first task.
  package var reports: [RolloutReport] { shown.withLock { $0 } }

  package init() {}

  /// Watches these rollouts, from where they began unless they are watched already.
  ///
  /// - Parameter avro: readers of the topics that are not JSON.
  package func watch(
    _ watched: [WatchedRollout], _ client: ClientConfiguration, _ avro: @autoclosure () throws -> [String: AvroText],
    partitionCount: Int32
  ) throws {
    guard watched != reader.watched || reader.consumer == nil else { return }
    reset()
    var starts: [TopicPartition: StartOffset] = [:]
    for topic in Set(watched.map(\.topic)) {
      let began = watched.filter { $0.topic == topic }.map(\.beganMilliseconds).min() ?? 0
      for partition in 0..<partitionCount {
        starts[TopicPartition(topic: topic, partition: partition)] = .time(began)
      }
    }
    let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
    try consumer.assign(starts)
    reader.consumer = consumer
    reader.partitions = Array(starts.keys)
    reader.fields = try PredictionFields(avro())
    reader.watched = watched
    reader.figures = watched.map { watched in
      RolloutWindow(
        watched.rollout.gates,
        drift: RolloutDrift(watched.rollout, outputCount: watched.outputCount, features: watched.features))
    }
    reader.offsets = [:]
    reader.due = []
    reader.isDecided = watched.map { _ in false }
    show()
  }

  /// Whether everything that is committed by now was read.
  package func isAtEnd() throws -> Bool {
    guard let consumer = reader.consumer else { return true }
    return try consumer.watermarks(reader.partitions).allSatisfy { partition, marks in
      try consumer.position(of: partition) >= marks.end
    }
  }

  /// Forgets everything.
  package func reset() {
    _ = try? reader.consumer?.close(timeoutMilliseconds: 1_000)
    reader.consumer = nil
    reader.watched = []
    shown.withLock { $0 = [] }
  }

  /// Reads on for a moment.
  ///
  /// - Returns: rollouts that are to end now, each once.
  package func read() throws -> [(WatchedRollout, RolloutJudge.Verdict)] {
    guard let consumer = reader.consumer else { return [] }
    let result = try consumer.poll(timeoutMilliseconds: Self.pollMilliseconds) { records in
      try reader.fields?.read(records)
      for record in records.indices {
        reader.offsets[records.partition] = records[record].offset
        for (index, watched) in reader.watched.enumerated() where watched.topic == records.partition.topic {
          take(record, records, watched, index)
        }
      }
    }
    if result.records > 0 { reader.isDirty = true }
    // Figures are made of sketches: a few times a second is enough.
    let now = WallClock.monotonic.nowMilliseconds
    if reader.isDirty, result.records == 0 || now >= reader.nextLookAtMilliseconds {
      reader.isDirty = false
      reader.nextLookAtMilliseconds = now + Self.lookMilliseconds
      show()
    }
    defer { reader.due = [] }
    return reader.due
  }

  /// Takes a prediction, and decides where it is the last one of a slice.
  private func take(_ record: Int, _ records: borrowing ConsumedBatch, _ watched: WatchedRollout, _ index: Int) {
    guard let prediction = reader.fields?.prediction(record, of: watched.name) else { return }
    let isInSegment = records[record].headers.last(PredictionOutputs.segmentHeader) != nil
    let side = RolloutFigures.side(of: prediction, watched, isInSegment: isInSegment)
    if !reader.figures[index].drift.isEmpty {
      let cluster = unsafe records[record].keyBytes.map { unsafe Hash64.hash($0, seed: Self.clusterSeed) }
      let place = ArmGauge.Place(partition: records.partition.partition, offset: records[record].offset)
      reader.fields?.add(
        record, prediction, side, cluster: cluster, at: place, to: &reader.figures[index].drift)
    }
    let isSliceFull = reader.figures[index].add { $0.add(prediction, side, of: watched) }
    guard isSliceFull, watched.rollout.decides == .automatic, !reader.isDecided[index] else { return }
    let verdict = RolloutJudge(watched.rollout).verdict(reader.figures[index])
    guard verdict != .undecided else { return }
    reader.isDecided[index] = true
    reader.due.append((watched, verdict.decided(at: places(watched.topic))))
  }

  /// `0:991 1:870`: the newest prediction of each partition that was read.
  private func places(_ topic: String) -> String {
    let places = reader.offsets.filter { $0.key.topic == topic }.sorted { $0.key.partition < $1.key.partition }
    let shown = places.prefix(Self.shownPartitions).map { "\($0.key.partition):\($0.value)" }
    return shown.joined(separator: " ") + (places.count > shown.count ? " …" : "")
  }

  private static let shownPartitions = 32
  /// Another hash of the key than the one that chooses its arm.
  private static let clusterSeed: UInt64 = 0x6172_6d73
  private static let pollMilliseconds: Int32 = 100
  private static let lookMilliseconds: Int64 = 200

  private func show() {
    let reports = zip(reader.watched, reader.figures).map { watched, window in
      let judge = RolloutJudge(watched.rollout)
      return RolloutReport(
        model: watched.model, alias: watched.alias, name: watched.name, champion: watched.champion,
        rollout: watched.rollout, beganMilliseconds: watched.beganMilliseconds, figures: window.total,
        findings: judge.findings(window), verdict: judge.verdict(window))
    }
    shown.withLock { $0 = reports }
  }
}

extension RolloutFigures {
  /// Whose a prediction is.
  enum Side { case champion, challenger, neither }

  /// - Parameter isInSegment: whether the event lies in the rollout's segments; of no matter without segments.
  static func side(
    of prediction: PredictionFields.Prediction, _ watched: WatchedRollout, isInSegment: Bool
  ) -> Side {
    let isChallenger = prediction.version == watched.rollout.version && !prediction.isChampion
    guard watched.rollout.answers else { return isChallenger ? .challenger : .neither }
    if prediction.hasChallengerFailed || isChallenger && !prediction.isFallback { return .challenger }
    // Elsewhere the champion sees other events than a version that answers in segments alone.
    guard watched.rollout.segments.isEmpty || isInSegment else { return .neither }
    return prediction.version == watched.champion || prediction.hasFailed ? .champion : .neither
  }

  mutating func add(_ prediction: PredictionFields.Prediction, _ side: Side, of watched: WatchedRollout) {
    let (score, time) = (prediction.score, prediction.scoringNanoseconds)
    switch side {
    case .neither: break
    case .champion: champion.add(score: score, hasFailed: prediction.hasFailed, nanoseconds: time)
    case .challenger where !watched.rollout.answers:
      challenger.add(score: score, hasFailed: prediction.hasFailed, nanoseconds: time)
      compare(difference: prediction.difference, agrees: prediction.agrees)
    case .challenger where prediction.hasChallengerFailed:
      challenger.add(score: nil, hasFailed: true, nanoseconds: nil)
    case .challenger: challenger.add(score: score, hasFailed: false, nanoseconds: time)
    }
  }
}

extension RolloutJudge.Verdict {
  /// With the predictions that had been read by then.
  fileprivate func decided(at places: String) -> Self {
    switch self {
    case .undecided: self
    case .promote(let reason): .promote(reason: "\(reason); decided at \(places)")
    case .rollBack(let reason): .rollBack(reason: "\(reason); decided at \(places)")
    }
  }
}
