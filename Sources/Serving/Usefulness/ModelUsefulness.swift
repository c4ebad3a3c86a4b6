/// Whether a model is of any use, beside being up: three kinds of budgets.
package struct ModelUsefulness: Sendable {
  package var model: String
  /// Of the file that scores; nil of a model that does not run.
  package var version: String?
  package var freshness: [UsefulnessBudget]
  package var drift: [UsefulnessBudget]
  package var accuracy: [UsefulnessBudget]

  package init(
    model: String, version: String?, freshness: [UsefulnessBudget], drift: [UsefulnessBudget],
    accuracy: [UsefulnessBudget]
  ) {
    self.model = model
    self.version = version
    self.freshness = freshness
    self.drift = drift
    self.accuracy = accuracy
  }

  /// No budget is overspent, as far as anybody knows.
  package var isUseful: Bool { (freshness + drift + accuracy).allSatisfy { $0.isKept != false } }
}

/// One figure and what it may be.
package struct UsefulnessBudget: Sendable, Equatable {
  /// `psi:amount`, `auc`, `event_time_lag_seconds`.
  package var name: String
  /// nil: not known yet.
  package var value: Double?
  /// nil: nobody said.
  package var limit: Double?
  /// Whether values above the limit are bad, or those below it.
  package var isUpperLimit: Bool
  /// When the value was determined; epoch milliseconds.
  package var timeMilliseconds: Int64?
  /// A sentence: windows, offsets, segments.
  package var evidence: String?

  package init(
    name: String, value: Double?, limit: Double?, isUpperLimit: Bool, timeMilliseconds: Int64? = nil,
    evidence: String? = nil
  ) {
    self.name = name
    self.value = value
    self.limit = limit
    self.isUpperLimit = isUpperLimit
    self.timeMilliseconds = timeMilliseconds
    self.evidence = evidence
  }

  /// nil: the value or the limit is not known.
  package var isKept: Bool? {
    guard let value, let limit else { return nil }
    return isUpperLimit ? value <= limit : value >= limit
  }
}
