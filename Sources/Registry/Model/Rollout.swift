/// How a second version takes part beside the one that an alias stands for.
package struct Rollout: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Scores the same events; nobody acts on what it says.
    case shadow
    /// Answers for a share of the keys until it is promoted or rolled back.
    case canary
    /// Answers for a share of the keys for a comparison (A/B); sticky by key.
    case split
  }

  /// Who ends it.
  package enum Decision: String, Sendable, CaseIterable {
    case byHand = "by_hand"
    /// The gates: promoted when all hold, rolled back when one does not.
    case automatic
  }

  package var kind: Kind
  package var version: Int
  /// How many of 1,000 keys it answers for; without meaning for a shadow.
  package var sharePerMille: Int
  /// Mixed into the hash of the key, so that two rollouts do not share their arms.
  package var salt: String
  /// Expressions over the event: the rollout is for events where one of them holds; empty: for all.
  package var segments: [String]
  package var gates: [RolloutGate]
  package var decides: Decision

  package init(
    kind: Kind, version: Int, sharePerMille: Int = 0, salt: String = "", segments: [String] = [],
    gates: [RolloutGate] = [], decides: Decision = .byHand
  ) {
    self.kind = kind
    self.version = version
    self.sharePerMille = sharePerMille
    self.salt = salt
    self.segments = segments
    self.gates = gates
    self.decides = decides
  }

  /// Whether its answers are acted upon.
  package var answers: Bool { kind != .shadow }
}

/// A limit that a rollout has to keep.
package struct RolloutGate: Sendable, Hashable {
  package enum Metric: String, Sendable, CaseIterable {
    /// Predictions that failed or fell back, as a share of all.
    case errorRate = "error_rate"
    /// Of scoring one event, 99th percentile.
    case latencyMilliseconds = "latency_ms"
    /// Population stability index of the scores against those of the version in force.
    case scorePSI = "score_psi"
    /// Largest difference of the distribution functions of the scores (Kolmogorov–Smirnov's D); decided by what is
    /// certain of it, keys and repeated looks taken into account.
    case scoreDrift = "score_drift"
    /// The same of the feature that differs most: whether a canary's events are like those of the version in force.
    case featureDrift = "feature_drift"
    /// Share of events that the two versions decide differently; of a shadow.
    case disagreement
  }

  package var metric: Metric
  package var atMost: Double
  /// The gate says nothing before so many predictions.
  package var predictionsMin: Int

  package init(metric: Metric, atMost: Double, predictionsMin: Int) {
    self.metric = metric
    self.atMost = atMost
    self.predictionsMin = predictionsMin
  }
}

/// How a rollout ended.
package enum RolloutVerdict: String, Sendable, CaseIterable {
  /// Its version took the alias.
  case promoted
  /// The version was found wanting.
  case rolledBack = "rolled_back"
  /// Somebody ended it without a finding.
  case stopped
  /// The same version goes on with another share, or as another kind.
  case replaced
}
