internal import Core
internal import Kafka
internal import Registry
internal import Runtime
internal import Topology
internal import Training

/// What the predictions of rollouts come to, read by whoever holds the lease. Belongs to one thread.
final class TrialWatch {
  private let watch = RolloutWatch()
  private var isOpen = false

  func close() {
    guard isOpen else { return }
    watch.reset()
    isOpen = false
  }

  /// Whether the last look saw all predictions that there are.
  func isAtEnd() throws -> Bool { try !isOpen || watch.isAtEnd() }

  /// Reads on for a moment; nil while no rollout is under way.
  func facts(
    _ plan: Plan, _ registry: RegistryState, _ configuration: RetrainingConfiguration
  ) throws -> RetrainingFacts.Trial? {
    let watched = WatchedRollout.all(plan, registry)
    guard let first = watched.first else {
      close()
      return nil
    }
    let admin = try Admin(configuration.client)
    let topics = try admin.describeCluster().topics
    let counts = Set(watched.map(\.topic)).compactMap { name in
      topics.first { $0.name == name && $0.error == nil }?.partitions.count
    }
    // Topics of shadows are made when their first version begins.
    guard counts.count == Set(watched.map(\.topic)).count, let count = counts.min() else { return nil }
    isOpen = true
    try watch.watch(
      watched, configuration.client, try plan.predictionTexts(configuration.schemas),
      partitionCount: Int32(clamping: count))
    _ = try watch.read()
    guard let report = watch.reports.first(where: { $0.name == first.name }) else { return nil }
    return Self.trial(watch.reports.first { $0.rollout.version == report.rollout.version } ?? report)
  }

  private static func trial(_ report: RolloutReport) -> RetrainingFacts.Trial {
    let figures = report.figures
    let holds = report.findings.allSatisfy(\.holds)
    let broken = report.findings.filter(\.isBroken).map { finding in
      "\(finding.gate.metric.rawValue) \(finding.value ?? .nan) of at most \(finding.gate.atMost) over "
        + "\(figures.challenger.predictions) predictions"
    }
    let json = WorkJSON.text { json in
      json.member("kind", report.rollout.kind.rawValue)
      json.member("version", report.rollout.version)
      json.member("champion", report.champion)
      json.member("predictions", figures.challenger.predictions)
      json.member("error_rate", figures.challenger.failureRate)
      json.member("compared", figures.compared)
      for (name, value) in [
        ("mean_difference", figures.meanDifference), ("agreement", figures.agreement), ("score_psi", figures.scorePSI),
        ("latency_ms", figures.challenger.scoringMilliseconds99),
      ] {
        if let value { json.member(name, value) }
      }
      json.member("maximum_difference", figures.differenceMaximum)
    }
    return RetrainingFacts.Trial(
      version: report.rollout.version, predictionCount: figures.challenger.predictions, broken: broken, holds: holds,
      json: json)
  }
}
