import Core
import Registry

/// The rules of runs, approvals and retrainings once more, as plainly as they can be said.
struct NaiveTraining: Equatable {
  struct Question: Equatable {
    var about: String
    var asker: String
    var endMilliseconds: Int64
    var answer = ""
  }

  struct Work: Equatable {
    var policy: String
    var steps = ["dataset"]
    var worker: String?
    var untilMilliseconds: Int64 = 0

    var isOver: Bool { ["done", "refused", "stopped"].contains(steps.last) }
  }

  /// What came of a run; empty while it is under way.
  var runs: [String: String] = [:]
  var questions: [String: Question] = [:]
  var works: [String: Work] = [:]

  static let order = [
    "dataset", "train", "evaluate", "gate", "register", "shadow", "canary", "approval", "promote", "done", "refused",
    "stopped",
  ]

  init() {}

  init(_ state: RegistryState) {
    runs = state.runs.mapValues { $0.result?.status.rawValue ?? "" }
    questions = state.approvals.mapValues {
      Question(
        about: "\($0.approval.model) \($0.approval.version) \($0.approval.alias)", asker: $0.approval.requestedBy,
        endMilliseconds: $0.approval.expiresAtMilliseconds, answer: $0.verdict?.rawValue ?? "")
    }
    works = state.retrainings.mapValues {
      Work(
        policy: $0.retraining.policy, steps: $0.steps.map(\.step.rawValue), worker: $0.lease?.worker,
        untilMilliseconds: $0.lease?.untilMilliseconds ?? 0)
    }
  }

  mutating func apply(_ command: RegistryCommand, timeMilliseconds now: Int64, hashes: [String: [String]]) {
    switch command.change {
    case .startRun(let run): if runs[run.id] == nil { runs[run.id] = "" }
    case .finishRun(let id, let result): if runs[id] == "" { runs[id] = result.status.rawValue }
    case .requestApproval(let approval):
      let about = "\(approval.model) \(approval.version) \(approval.alias)"
      guard let count = hashes[approval.model]?.count, approval.version <= count, questions[approval.id] == nil,
        !questions.values.contains(where: { $0.about == about && $0.answer == "" })
      else { return }
      questions[approval.id] = Question(
        about: about, asker: approval.requestedBy, endMilliseconds: approval.expiresAtMilliseconds)
    case .decideApproval(let id, let verdict):
      guard let question = questions[id], question.answer == "" else { return }
      if verdict == .expired {
        if now > question.endMilliseconds { questions[id]?.answer = "expired" }
      } else if now <= question.endMilliseconds, command.actor != question.asker, command.actor != "asker" {
        questions[id]?.answer = verdict.rawValue
      }
    case .openRetraining(let retraining):
      if works[retraining.id] == nil, !works.values.contains(where: { $0.policy == retraining.policy && !$0.isOver }) {
        works[retraining.id] = Work(policy: retraining.policy)
      }
    case .advanceRetraining(let id, let from, let to, let note, _):
      guard let work = works[id], !work.isOver, work.steps.last == from.rawValue,
        let old = Self.order.firstIndex(of: from.rawValue), let new = Self.order.firstIndex(of: to.rawValue), new > old,
        note != "" || !["refused", "stopped"].contains(to.rawValue)
      else { return }
      works[id]?.steps.append(to.rawValue)
    case .claimRetraining(let id, let worker, let until, let expected):
      guard let work = works[id], !work.isOver, work.worker == expected else { return }
      if work.worker == nil || work.worker == worker || now > work.untilMilliseconds {
        works[id]?.worker = worker
        works[id]?.untilMilliseconds = until
      }
    default: break
    }
  }
}

extension RegistryCommand {
  /// A command about runs, approvals and retrainings that fits what is there more often than not.
  static func randomTraining(_ random: inout SplitMix64, _ oracle: NaiveTraining) -> RegistryCommand {
    func pick<Element>(_ elements: [Element]) -> Element {
      elements[Int.random(in: 0..<elements.count, using: &random)]
    }
    func number(_ prefix: String, _ count: Int) -> String { "\(prefix)\(Int.random(in: 0..<count, using: &random))" }
    let work = oracle.works.keys.sorted().last { oracle.works[$0]?.isOver == false } ?? "t0"
    let id = Int.random(in: 0..<6, using: &random) == 0 ? number("t", 300) : work
    let change: Change
    switch Int.random(in: 0..<14, using: &random) {
    case 0: change = .startRun(.sample(id: number("r", 60)))
    case 1..<3:
      change = .finishRun(
        id: number("r", 60), result: RunResult(status: pick(RunResult.Status.allCases), metrics: .samples, error: "e"))
    case 3:
      change = .requestApproval(
        .sample(
          id: number("a", 200), model: pick(["m", "n", "q"]), version: Int.random(in: 1..<6, using: &random),
          asker: pick(["ada", "policy"]), endMilliseconds: Int64.random(in: 0..<80_000, using: &random)))
    case 4..<7:
      let open = oracle.questions.keys.sorted().filter { oracle.questions[$0]?.answer == "" }
      let id = open.isEmpty ? number("a", 200) : pick(open)
      change = .decideApproval(id: id, verdict: pick(ApprovalVerdict.allCases))
    case 7..<9: change = .openRetraining(.sample(id: number("t", 300), policy: number("p", 3)))
    case 9..<12:
      let now = oracle.works[id]?.steps.last.flatMap { RetrainingStep(rawValue: $0) } ?? .dataset
      change = .advanceRetraining(
        id: id, from: Int.random(in: 0..<9, using: &random) == 0 ? .gate : now, to: pick(RetrainingStep.allCases),
        note: pick(["", "because"]), evidence: pick(["", "{}"]))
    default:
      let holder = Int.random(in: 0..<5, using: &random) == 0 ? "w9" : oracle.works[id]?.worker
      change = .claimRetraining(
        id: id, worker: number("w", 3), untilMilliseconds: Int64.random(in: 0..<80_000, using: &random),
        expectedWorker: holder)
    }
    let actor: String = if case .requestApproval = change { "asker" } else { pick(["ada", "bob", "asker", "policy"]) }
    return RegistryCommand(actor: actor, change: change)
  }
}

extension TrainingRun {
  static func sample(id: String, experiment: String = "nightly", model: String = "m") -> TrainingRun {
    TrainingRun(
      id: id, experiment: experiment, model: model, trainer: "xgboost",
      parameters: [RunParameter(name: "depth", value: "6"), RunParameter(name: "eta", value: "0.1")], origin: .sample,
      startedBy: "ada")
  }
}

extension TrainingOrigin {
  static let sample = TrainingOrigin(
    datasetManifestHash: String(repeating: "d", count: 64), datasetPlace: "data/train",
    dataVersions: [DataVersion(table: "events/departed", version: 7)], serviceName: "late_arrival_v1",
    serviceVersion: "f00d", codeRevision: "c0de")
}

extension [RunMetric] {
  static let samples = [
    RunMetric(name: "auc", value: 0.1 + 0.2, low: 0.25, high: 1 / 3), RunMetric(name: "log_loss", value: .leastNonzeroMagnitude),
  ]
}

extension Approval {
  static func sample(
    id: String, model: String = "m", version: Int = 1, asker: String = "ada", endMilliseconds: Int64 = 1_000_000
  ) -> Approval {
    Approval(
      id: id, model: model, version: version, alias: "champion", requestedBy: asker, reason: "better",
      evidence: #"{"auc":[1,2]}"#, expiresAtMilliseconds: endMilliseconds)
  }
}

extension Retraining {
  static func sample(id: String, policy: String = "nightly") -> Retraining {
    Retraining(
      id: id, policy: policy, model: "m", cause: #"{"drift":"psi"}"#, openedBy: "policy", atMilliseconds: 3)
  }
}
