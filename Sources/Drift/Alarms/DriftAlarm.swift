/// An alarm with everything that a person or a program needs to act on it.
package struct DriftAlarm: Sendable, Equatable {
  package var model: String
  package var feature: String
  package var test: DriftTest
  package var value: Double
  package var threshold: Double
  /// How improbable this is without drift, corrected for the number of features.
  package var adjustedPValue: Double
  package var reference: WindowReference
  package var current: WindowReference
  /// The parts of the rows that account for most of it.
  package var segments: [Contributor]
  package var producers: [Contributor]
  package var cause: DriftCause

  /// - Returns: nil when the finding is no alarm.
  package init?(
    model: String, _ finding: AlarmPolicy.Finding, cause: DriftCause, reference: WindowReference,
    current: WindowReference, contributors: [Contributor] = []
  ) {
    guard finding.isAlarm, let test = finding.test else { return nil }
    self.model = model
    feature = finding.feature
    self.test = test
    value = finding.score
    threshold = finding.threshold
    adjustedPValue = finding.adjustedPValue
    self.reference = reference
    self.current = current
    segments = contributors.filter { $0.kind == .segment }
    producers = contributors.filter { $0.kind == .producer }
    self.cause = cause
  }
}
