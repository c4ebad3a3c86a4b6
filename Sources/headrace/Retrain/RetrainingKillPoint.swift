internal import Core
internal import Registry
internal import Training

/// Named places at which a test can make a process die as by `kill -9` while a policy retrains: behind each action and
/// in front of each record of it.
enum RetrainingKillPoint: String, CaseIterable, Sendable {
  /// A monitor has rung; nothing is opened.
  case beforeOpening = "retraining.before-opening"
  /// It is open; nobody has the lease.
  case opened = "retraining.opened"
  case leased = "retraining.leased"
  /// The dataset's process was started.
  case datasetBegun = "retraining.dataset-begun"
  /// The dataset is there; the log does not say so.
  case datasetMade = "retraining.dataset-made"
  case trainingBegun = "retraining.training-begun"
  /// The model's file is there; neither in the store nor in the log.
  case trained = "retraining.trained"
  /// In the store; no command names it.
  case modelStored = "retraining.model-stored"
  /// The run is over; the step is the same.
  case runFinished = "retraining.run-finished"
  case evaluated = "retraining.evaluated"
  /// In front of the record of the verdict.
  case gateDecided = "retraining.gate-decided"
  /// The version is there; the step is the same.
  case versionAdded = "retraining.version-added"
  case trialBegun = "retraining.trial-begun"
  case approvalRequested = "retraining.approval-requested"
  /// The new version answers; the step is the same.
  case aliasMoved = "retraining.alias-moved"
  case monitorsTold = "retraining.monitors-told"
  /// People were told of the end; the log does not say so.
  case endTold = "retraining.end-told"

  /// Dies here when the environment says so.
  static func pass(_ point: RetrainingKillPoint?) {
    if let armed, armed == point { KillSwitch.reach() }
  }

  private static let armed: RetrainingKillPoint? = KillSwitch.armed()

  /// The place in front of an action, where there is one.
  static func before(_ action: RetrainingAction) -> RetrainingKillPoint? {
    switch action {
    case .send(.advanceRetraining(_, from: .dataset, to: .train, _, _)): .datasetMade
    case .send(.advanceRetraining(_, from: .evaluate, _, _, _)): .evaluated
    case .send(.advanceRetraining(_, from: .gate, _, _, _)): .gateDecided
    case .store: .trained
    default: nil
    }
  }

  /// The place behind an action, where there is one.
  static func behind(_ action: RetrainingAction) -> RetrainingKillPoint? {
    switch action {
    case .work(.dataset): .datasetBegun
    case .work(.train): .trainingBegun
    case .store: .modelStored
    case .send(.finishRun): .runFinished
    case .send(.addVersion): .versionAdded
    case .send(.startRollout): .trialBegun
    case .send(.requestApproval): .approvalRequested
    case .send(.setAlias): .aliasMoved
    case .acknowledge: .monitorsTold
    case .tell(let message): message.key.hasSuffix("-end") ? .endTold : nil
    case .work(.evaluate), .send, .callOutside, .wait: nil
    }
  }
}
