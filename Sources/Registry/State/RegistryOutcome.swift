package import Core

/// What became of a command.
package enum RegistryOutcome: Sendable, Hashable {
  case applied
  case refused(RegistryRefusal)

  /// A short stable name: `applied`, or why not.
  package var code: String {
    switch self {
    case .applied: "applied"
    case .refused(let refusal): refusal.code
    }
  }
}

/// Why a command changes nothing.
package enum RegistryRefusal: Error, Hashable {
  /// The record was applied before.
  case repeated
  case nameInvalid(String)
  case modelUnknown(nearest: String?)
  /// There are `count` versions.
  case versionUnknown(Int, count: Int)
  /// Somebody else was faster: the next version has this number.
  case versionOvertaken(next: Int)
  /// The same file is there already.
  case contentKnown(version: Int)
  /// The alias does not stand for what the command expected.
  case aliasOvertaken(found: Int?, expected: Int?)
  /// The alias stands there already.
  case unchanged
  case aliasUnknown
  /// The version in force cannot be rolled out beside itself.
  case rolloutOfCurrent
  /// Another version answers for a share already.
  case rolloutRunning(version: Int)
  case tooManyShadows
  case rolloutUnknown(version: Int)
  /// The id of a run is taken.
  case runKnown
  case runUnknown(String)
  case runOver(RunResult.Status)
  /// The id of an approval is taken.
  case approvalKnown
  /// The same is asked already.
  case approvalPending(id: String)
  case approvalUnknown
  case approvalDecided(ApprovalVerdict)
  case approvalExpired
  case approvalNotExpired
  /// Who asks for an approval may not give it.
  case ownRequest(String)
  /// The id of a retraining is taken.
  case retrainingKnown
  /// The policy has one under way.
  case retrainingOpen(id: String)
  case retrainingUnknown
  case retrainingOver(RetrainingStep)
  /// Somebody else was faster.
  case stepOvertaken(found: RetrainingStep, expected: RetrainingStep)
  case stepInvalid(from: RetrainingStep, to: RetrainingStep)
  /// Nothing ends without a finding that does not say why.
  case reasonMissing
  case leaseOvertaken(found: String?, expected: String?)
  case leaseHeld(worker: String, untilMilliseconds: Int64)
  /// Somebody else was faster; the newest command stands there.
  case samplingOvertaken(found: Int64?, expected: Int64?)
  case samplingUnchanged

  /// A short stable name, for programs.
  package var code: String {
    switch self {
    case .repeated: "COMMAND_REPEATED"
    case .nameInvalid: "NAME_INVALID"
    case .modelUnknown: "MODEL_NOT_FOUND"
    case .versionUnknown: "MODEL_VERSION_NOT_FOUND"
    case .versionOvertaken: "VERSION_OVERTAKEN"
    case .contentKnown: "VERSION_EXISTS"
    case .aliasOvertaken: "ALIAS_OVERTAKEN"
    case .unchanged: "ALIAS_UNCHANGED"
    case .aliasUnknown: "ALIAS_NOT_FOUND"
    case .rolloutOfCurrent: "ROLLOUT_OF_CURRENT"
    case .rolloutRunning: "ROLLOUT_RUNNING"
    case .tooManyShadows: "TOO_MANY_SHADOWS"
    case .rolloutUnknown: "ROLLOUT_NOT_FOUND"
    case .runKnown: "RUN_EXISTS"
    case .runUnknown: "RUN_NOT_FOUND"
    case .runOver: "RUN_OVER"
    case .approvalKnown: "APPROVAL_EXISTS"
    case .approvalPending: "APPROVAL_PENDING"
    case .approvalUnknown: "APPROVAL_NOT_FOUND"
    case .approvalDecided: "APPROVAL_DECIDED"
    case .approvalExpired: "APPROVAL_EXPIRED"
    case .approvalNotExpired: "APPROVAL_NOT_EXPIRED"
    case .ownRequest: "APPROVAL_OWN_REQUEST"
    case .retrainingKnown: "RETRAINING_EXISTS"
    case .retrainingOpen: "RETRAINING_OPEN"
    case .retrainingUnknown: "RETRAINING_NOT_FOUND"
    case .retrainingOver: "RETRAINING_OVER"
    case .stepOvertaken: "STEP_OVERTAKEN"
    case .stepInvalid: "STEP_INVALID"
    case .reasonMissing: "REASON_MISSING"
    case .leaseOvertaken: "LEASE_OVERTAKEN"
    case .leaseHeld: "LEASE_HELD"
    case .samplingOvertaken: "SAMPLING_OVERTAKEN"
    case .samplingUnchanged: "SAMPLING_UNCHANGED"
    }
  }

  package var message: String {
    switch self {
    case .repeated: "the command was applied before"
    case .nameInvalid(let name):
      "\"\(name.prefix(RegistryLimits.nameBytes))\" is no name: 1 to \(RegistryLimits.nameBytes) letters, digits, "
        + "`_`, `-` and `.`, the first one a letter or a digit; an alias is no number"
    case .modelUnknown(let nearest):
      nearest.map { "there is no such model; did you mean `\($0)`?" } ?? "there is no such model"
    case .versionUnknown(let number, let count):
      "there is no version \(number), found \(count == 1 ? "version 1 only" : "versions 1 to \(count)")"
    case .versionOvertaken(let next): "another version was added at the same moment: the next one is \(next)"
    case .contentKnown(let version): "the same file is version \(version) already"
    case .aliasOvertaken(let found, let expected):
      "the alias stands for \(Self.name(found)), expected \(Self.name(expected))"
    case .unchanged: "the alias stands there already"
    case .aliasUnknown: "there is no such alias"
    case .rolloutOfCurrent: "the version is in force already"
    case .rolloutRunning(let version): "version \(version) answers for a share already; end that rollout first"
    case .tooManyShadows: "an alias may have \(RegistryLimits.shadows) shadows at a time"
    case .rolloutUnknown(let version): "there is no rollout of version \(version) under way"
    case .runKnown: "there is a run of this id already"
    case .runUnknown(let id): "there is no run \(id)"
    case .runOver(let status): "the run is over: it \(status == .finished ? "finished" : "was \(status.rawValue)")"
    case .approvalKnown: "there is an approval of this id already"
    case .approvalPending(let id): "approval \(id) asks the same, and is not decided yet"
    case .approvalUnknown: "there is no such approval"
    case .approvalDecided(let verdict): "the approval is decided already: \(verdict.rawValue)"
    case .approvalExpired: "the approval was to be decided earlier"
    case .approvalNotExpired: "there is still time to decide the approval"
    case .ownRequest(let actor): "`\(actor)` asked for the approval, and somebody else has to decide it"
    case .retrainingKnown: "there is a retraining of this id already"
    case .retrainingOpen(let id): "the policy has retraining \(id) under way, and one at a time"
    case .retrainingUnknown: "there is no such retraining"
    case .retrainingOver(let step): "the retraining is over: \(step.rawValue)"
    case .stepOvertaken(let found, let expected):
      "the retraining is at `\(found.rawValue)`, expected `\(expected.rawValue)`"
    case .stepInvalid(let from, let to): "`\(to.rawValue)` does not come after `\(from.rawValue)`"
    case .reasonMissing: "a retraining that is refused or stopped says why"
    case .leaseOvertaken(let found, let expected):
      "the retraining is worked on by \(found ?? "nobody"), expected \(expected ?? "nobody")"
    case .leaseHeld(let worker, let until): "\(worker) works on the retraining until \(until) ms"
    case .samplingOvertaken(let found, let expected):
      "the newest sample of the model was set at offset \(found.map { "\($0)" } ?? "none"), expected "
        + (expected.map { "\($0)" } ?? "none")
    case .samplingUnchanged: "the model is sampled so already"
    }
  }

  package func error(place: String) -> HeadraceError {
    HeadraceError(.user, code, message, place: place, remedy: remedy)
  }

  private var remedy: String? {
    switch self {
    case .modelUnknown: "`headrace models list` shows what there is"
    case .versionUnknown, .aliasUnknown, .rolloutUnknown: "`headrace models show NAME` shows what there is"
    case .approvalUnknown, .approvalDecided, .approvalExpired: "`headrace models approvals` shows what there is"
    case .runUnknown: "`headrace models runs` shows what there is"
    case .versionOvertaken, .aliasOvertaken, .stepOvertaken, .leaseOvertaken, .samplingOvertaken:
      "look at what is there now, then decide again"
    default: nil
    }
  }

  private static func name(_ version: Int?) -> String { version.map { "version \($0)" } ?? "nothing" }
}
