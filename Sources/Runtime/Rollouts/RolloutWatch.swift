package import Contracts
internal import Core
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
    var isDecided: [Bool] = []
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
    reader.figures = watched.map { RolloutWindow($0.rollout.gates) }
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
      for (index, watched) in reader.watched.enumerated() where watched.topic == records.partition.topic {
        for record in records.indices {
          guard let prediction = reader.fields?.prediction(record, of: watched.name) else { continue }
          reader.figures[index].add { $0.add(prediction, of: watched) }
        }
      }
    }
    if result.records > 0 { reader.isDirty = true }
    // Figures are made of sketches: a few times a second is enough.
    let now = WallClock.monotonic.nowMilliseconds
    guard reader.isDirty, result.records == 0 || now >= reader.nextLookAtMilliseconds else { return [] }
    reader.isDirty = false
    reader.nextLookAtMilliseconds = now + Self.lookMilliseconds
    show()
    var due: [(WatchedRollout, RolloutJudge.Verdict)] = []
    for (index, watched) in reader.watched.enumerated()
    where watched.rollout.decides == .automatic && !reader.isDecided[index] {
      let verdict = RolloutJudge(watched.rollout).verdict(reader.figures[index])
      guard verdict != .undecided else { continue }
      reader.isDecided[index] = true
      due.append((watched, verdict))
    }
    return due
  }

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
  mutating func add(_ prediction: PredictionFields.Prediction, of watched: WatchedRollout) {
    let isChallenger = prediction.version == watched.rollout.version && !prediction.isChampion
    let (score, time) = (prediction.score, prediction.scoringNanoseconds)
    guard watched.rollout.answers else {
      guard isChallenger else { return }
      challenger.add(score: score, hasFailed: prediction.hasFailed, nanoseconds: time)
      return compare(difference: prediction.difference, agrees: prediction.agrees)
    }
    if prediction.hasChallengerFailed {
      challenger.add(score: nil, hasFailed: true, nanoseconds: nil)
    } else if isChallenger, !prediction.isFallback {
      challenger.add(score: score, hasFailed: false, nanoseconds: time)
    } else if prediction.version == watched.champion || prediction.hasFailed {
      champion.add(score: score, hasFailed: prediction.hasFailed, nanoseconds: time)
    }
  }
}
