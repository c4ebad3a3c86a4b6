internal import Core
internal import Kafka
internal import Registry
internal import Runtime
internal import Topology
internal import Training

/// What the predictions of one retraining's rollout come to, read by whoever holds the lease. Belongs to one thread.
final class TrialWatch {
  private let watch = RolloutWatch()
  private var isOpen = false
  /// Asked for topics that are not there yet; nil once they are.
  private var admin: Admin?
  private var partitions: (topic: String, count: Int32)?

  func close() {
    guard isOpen else { return }
    watch.reset()
    isOpen = false
  }

  deinit { close() }

  /// Whether the last look saw all predictions that there are.
  func isAtEnd() throws -> Bool { try !isOpen || watch.isAtEnd() }

  /// Reads on for a moment; nil while the rollout is not under way.
  ///
  /// - Parameters:
  ///   - model: a position in the plan.
  ///   - kind: of the rollout, `version` is tried by it: other models, and other versions, may be tried as well.
  func facts(
    _ plan: Plan, model: Int, version: Int, _ kind: Rollout.Kind, _ registry: RegistryState,
    _ configuration: RetrainingConfiguration
  ) throws -> RetrainingFacts.Trial? {
    let name = plan.models[model].name
    let watched = WatchedRollout.all(plan, registry).first {
      $0.name == name && $0.rollout.version == version && $0.rollout.kind == kind
    }
    guard let watched else {
      close()
      return nil
    }
    // Topics of shadows are made when their first version begins.
    guard let count = try partitionCount(of: watched.topic, configuration.client) else { return nil }
    isOpen = true
    try watch.watch(
      [watched], configuration.client, try plan.predictionTexts(configuration.schemas), partitionCount: count)
    _ = try watch.read()
    return watch.reports.first.map { Self.trial($0) }
  }

  private func partitionCount(of topic: String, _ client: ClientConfiguration) throws -> Int32? {
    if let partitions, partitions.topic == topic { return partitions.count }
    let asking = try admin ?? Admin(client)
    admin = asking
    let found = try asking.describeCluster().topics.first { $0.name == topic && $0.error == nil }
    guard let found else { return nil }
    let count = Int32(clamping: found.partitions.count)
    (partitions, admin) = ((topic, count), nil)
    return count
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
