internal import Core

/// Something that a person should know before a model is trusted, with what shows it.
package struct TrainingFinding: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Rows that test are not later than all rows that train, although the dataset is split by time.
    case timeOverlap = "time_overlap"
    /// The same entity at the same time is on both sides.
    case rowOverlap = "row_overlap"
    /// The same entity is on both sides, although the dataset is split by entity.
    case entityOverlap = "entity_overlap"
    /// One feature alone tells the label.
    case featureTooGood = "feature_too_good"
    /// A feature is the label.
    case featureIsLabel = "feature_is_label"
    /// The trainer says that its model is better than it is.
    case claim
    /// A model is worse than the champion on some of the rows.
    case slice
    /// Rows without a label, or with one that cannot be: left out.
    case labels
  }

  /// Whether a gate should let the model through.
  package enum Severity: String, Sendable, CaseIterable { case information, warning, error }

  package var kind: Kind
  package var severity: Severity
  /// What it is about: a feature, a slice, a metric.
  package var subject: String
  package var message: String
  /// Names and figures, in an order that does not change.
  package var evidence: [Evidence]

  package struct Evidence: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package init(
    _ kind: Kind, _ severity: Severity, subject: String, message: String, evidence: [(String, String)] = []
  ) {
    self.kind = kind
    self.severity = severity
    self.subject = subject
    self.message = message
    self.evidence = evidence.map { Evidence($0.0, $0.1) }
  }
}
