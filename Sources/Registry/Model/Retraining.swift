/// A model on its way to its next version: from the cause to the verdict.
package struct Retraining: Sendable, Hashable {
  /// Unique: of the alphabet of names.
  package var id: String
  /// One policy has one retraining open at a time.
  package var policy: String
  package var model: String
  /// Why: the alarm, the schedule, the person: one JSON value, or empty.
  package var cause: String
  package var openedBy: String
  package var atMilliseconds: Int64

  package init(
    id: String = RegistryCommand.newID(), policy: String, model: String, cause: String = "", openedBy: String,
    atMilliseconds: Int64
  ) {
    self.id = id
    self.policy = policy
    self.model = model
    self.cause = cause
    self.openedBy = openedBy
    self.atMilliseconds = atMilliseconds
  }
}

/// What a retraining does, in the order in which it does it. Steps may be left out, none is taken back.
package enum RetrainingStep: String, Sendable, CaseIterable {
  case dataset
  case train
  case evaluate
  case gate
  case register
  case shadow
  case canary
  case approval
  case promote
  /// The new version has the alias.
  case done
  /// The new version was found wanting: at the gate, in the shadow, by a person.
  case refused
  /// Ended without a finding: by hand, by a guard, by an error.
  case stopped

  /// Nothing comes after it.
  package var isTerminal: Bool {
    switch self {
    case .done, .refused, .stopped: true
    default: false
    }
  }

  /// Whether `next` may follow this step.
  package func leads(to next: RetrainingStep) -> Bool { !isTerminal && (next.isTerminal || next.rank > rank) }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
