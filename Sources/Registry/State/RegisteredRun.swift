/// A run with what came of it.
package struct RegisteredRun: Sendable, Hashable {
  package let run: TrainingRun
  package let started: RegistryEntry
  /// nil while it is under way.
  package internal(set) var result: RunResult?
  package internal(set) var finished: RegistryEntry?
}

/// A question to a person, with the answer.
package struct RegisteredApproval: Sendable, Hashable {
  package let approval: Approval
  package let requested: RegistryEntry
  /// nil while nobody has decided.
  package internal(set) var verdict: ApprovalVerdict?
  package internal(set) var decided: RegistryEntry?

  package var isPending: Bool { verdict == nil }
}

/// A retraining with every step that it took.
package struct RegisteredRetraining: Sendable, Hashable {
  package struct Step: Sendable, Hashable {
    package var step: RetrainingStep
    package var note: String
    /// One JSON value, or empty.
    package var evidence: String
    package var entry: RegistryEntry
  }

  /// Who works on it, and until when nobody else does.
  package struct Lease: Sendable, Hashable {
    package var worker: String
    package var untilMilliseconds: Int64
    package var entry: RegistryEntry
  }

  package let retraining: Retraining
  package let opened: RegistryEntry
  /// Oldest first; the first is `dataset`, entered when it was opened.
  package internal(set) var steps: [Step]
  package internal(set) var lease: Lease?

  package var step: RetrainingStep { steps.last?.step ?? .dataset }
  package var isOpen: Bool { !step.isTerminal }
}
