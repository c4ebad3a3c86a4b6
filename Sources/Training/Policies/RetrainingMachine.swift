internal import Core
package import Registry
package import Topology

/// Which step a retraining is at, and what it does next: a function of the log and of what is there.
///
/// It remembers nothing. Every action leaves something that lasts (a command in the log, a file under a name that the
/// retraining's id gives), and the machine looks for that first. So a process that dies between any two actions, or
/// between an action and the record of it, is followed by one that finds the same or does the same again, and another
/// machine takes over in the same way. Work that is expensive is found by its result.
///
/// | step | what is done | what it leaves | done again |
/// |---|---|---|---|
/// | dataset | `dataset build` | `datasets/ID/1` beside the tables | the manifest is found |
/// | train | run opened; trainer; file stored; run closed | run ID, `models/HASH` | from its checkpoint, or found |
/// | evaluate | challenger, champion, baseline on the test split | a report | the same report |
/// | gate | figures against the policy | the step | the same verdict |
/// | register | version | a version with that content | found by its content hash |
/// | shadow, canary | rollout | a rollout of the version | found; figures are read again |
/// | approval | question | approval ID | found |
/// | promote | alias, monitors | the alias | found |
package struct RetrainingMachine: Sendable {
  package let policy: PolicyPlan
  /// Of the registry.
  package let model: String
  package let alias: String

  /// - Parameter use: of the plan's model.
  package init(_ policy: PolicyPlan, model: String, alias: String) {
    self.policy = policy
    self.model = model
    self.alias = alias
  }

  /// - Parameter retraining: of `registry`.
  package func next(
    _ retraining: RegisteredRetraining, _ registry: RegistryState, _ facts: RetrainingFacts
  ) -> RetrainingAction {
    guard retraining.isOpen else { return .wait }
    let view = RetrainingView(retraining, registry, facts, self)
    if let failure = facts.failure { return fail(failure, view) }
    switch retraining.step {
    case .dataset: return dataset(view)
    case .train: return train(view)
    case .evaluate: return evaluate(view)
    case .gate: return gate(view)
    case .register: return register(view)
    case .shadow: return shadow(view)
    case .canary: return canary(view)
    case .approval: return approval(view)
    case .promote: return promote(view)
    case .done, .refused, .stopped: return .wait
    }
  }

  private func dataset(_ view: RetrainingView) -> RetrainingAction {
    if let bug = view.cause?.dataBug {
      let text =
        "policy \(policy.name): the data is broken (\(bug)), so nothing is trained on it: "
        + (view.cause?.alarms.map { "\($0.feature) (\($0.cause))" }.joined(separator: ", ") ?? "")
      return view.end(.stopped, kind: "paged", text)
    }
    guard case .dataset(let result)? = view.facts.result else { return .work(.dataset) }
    guard result.rowCount >= max(policy.guards.minimumLabelCount, 1) else {
      return view.end(
        .stopped, "\(result.rowCount) labels, at least \(max(policy.guards.minimumLabelCount, 1)) are needed")
    }
    return view.advance(to: .train, "\(result.rowCount) rows", evidence: result.json)
  }

  private func train(_ view: RetrainingView) -> RetrainingAction {
    guard let dataset = view.dataset else { return view.end(.stopped, "the dataset's record cannot be read") }
    let run = view.registry.runs[view.id]
    guard let run else { return .send(.startRun(view.run(of: dataset))) }
    if let result = run.result { return trained(result, view) }
    if case .orchestrator(let outside) = policy.work {
      let asked = view.messageKey("outside")
      if !view.facts.told.contains(asked) {
        return .callOutside(
          RetrainingMessage(key: asked, kind: "requested", text: "\(outside.kind.rawValue) \(outside.target)"))
      }
      let since = view.retraining.steps.last?.entry.timeMilliseconds ?? 0
      guard view.facts.nowMilliseconds - since > outside.timeoutMilliseconds else { return .wait }
      return .send(.finishRun(id: view.id, result: RunResult(status: .failed, error: "nothing came back in time")))
    }
    guard case .model(let model)? = view.facts.result else { return .work(.train) }
    guard view.facts.storedHashes.contains(model.contentHash) else {
      return .store(path: model.path, contentHash: model.contentHash)
    }
    return .send(.finishRun(id: view.id, result: view.runResult(of: model)))
  }

  private func trained(_ result: RunResult, _ view: RetrainingView) -> RetrainingAction {
    guard result.status == .finished, let file = result.artefacts.first(where: { $0.name == "model" }) else {
      return view.end(.stopped, "training ended without a model: \(result.error ?? result.status.rawValue)")
    }
    // What came from outside has no result here.
    var model = ModelResult(
      path: "", contentHash: file.contentHash, sizeBytes: file.sizeBytes, seconds: 0, codeRevision: "",
      claims: result.metrics.map { TrainedModel.Claim(name: $0.name, value: $0.value) })
    if case .model(let own)? = view.facts.result, own.contentHash == file.contentHash { model = own }
    return view.advance(to: .evaluate, "\(file.contentHash.prefix(16))", evidence: model.json)
  }

  private func evaluate(_ view: RetrainingView) -> RetrainingAction {
    guard case .evaluation(let result)? = view.facts.result else { return .work(.evaluate) }
    return view.advance(
      to: .gate, "\(result.report.rowCount) rows", evidence: result.json(bytesMax: RegistryLimits.evidenceBytes))
  }

  private func gate(_ view: RetrainingView) -> RetrainingAction {
    guard let evaluation = view.evaluation else { return view.end(.stopped, "the evaluation cannot be read") }
    let verdict = GateVerdict(policy, evaluation)
    guard verdict.passes else { return view.end(.refused, verdict.text, evidence: verdict.json) }
    return view.advance(to: .register, verdict.text, evidence: verdict.json)
  }

  private func register(_ view: RetrainingView) -> RetrainingAction {
    guard let evaluation = view.evaluation, let model = view.model else {
      return view.end(.stopped, "the evaluation cannot be read")
    }
    let versions = view.registry[self.model]?.versions ?? []
    guard let known = versions.first(where: { $0.version.contentHash == model.contentHash }) else {
      return .send(.addVersion(view.version(number: versions.count + 1, model, evaluation)))
    }
    let number = known.version.number
    if number == evaluation.championVersion {
      return view.end(.refused, "the same file as version \(number), which answers")
    }
    return view.advance(
      to: view.step(after: .register), "version \(number)", evidence: WorkJSON.text { $0.member("version", number) })
  }

  private func approval(_ view: RetrainingView) -> RetrainingAction {
    guard let number = view.version else { return view.end(.stopped, "the version's record cannot be read") }
    guard let known = view.registry.approvals[view.id] else {
      let since = view.retraining.steps.last?.entry.timeMilliseconds ?? view.facts.nowMilliseconds
      return .send(
        .requestApproval(
          Approval(
            id: view.id, model: model, version: number, alias: alias, requestedBy: view.retraining.retraining.openedBy,
            reason: "policy \(policy.name)", evidence: view.summary(version: number),
            expiresAtMilliseconds: since + policy.approvalTimeoutMilliseconds)))
    }
    switch known.verdict {
    case nil:
      if view.facts.nowMilliseconds > known.approval.expiresAtMilliseconds {
        return .send(.decideApproval(id: view.id, verdict: .expired))
      }
      let key = view.messageKey("approval")
      guard !view.facts.told.contains(key) else { return .wait }
      return .tell(
        RetrainingMessage(
          key: key, kind: "approval",
          text: "policy \(policy.name): version \(number) of \(model) waits for approval \(view.id)"))
    case .approved?:
      let who = known.decided.map { "\($0.actor)\($0.reason.isEmpty ? "" : ": \($0.reason)")" } ?? ""
      return view.advance(to: .promote, "approved by \(who)", evidence: "")
    case .rejected?:
      let who = known.decided.map { "\($0.actor)\($0.reason.isEmpty ? "" : ": \($0.reason)")" } ?? ""
      return view.end(.refused, "rejected by \(who)")
    case .expired?: return view.end(.refused, "nobody decided in time")
    }
  }

  private func promote(_ view: RetrainingView) -> RetrainingAction {
    guard let number = view.version, let evaluation = view.evaluation else {
      return view.end(.stopped, "the version's record cannot be read")
    }
    let current = view.registry[model]?.aliases[alias]?.version
    guard current == number else {
      guard current == evaluation.championVersion else {
        let found = current.map { "version \($0)" } ?? "nothing"
        return view.end(.refused, "\(alias) stands for \(found) now, which it was not compared with")
      }
      return .send(.setAlias(model: model, alias: alias, version: number, expected: current))
    }
    if let cause = view.cause, let monitor = cause.monitor {
      let key = view.messageKey("acknowledged")
      if !view.facts.told.contains(key) {
        return .acknowledge(monitor: monitor, atMilliseconds: max(cause.streamMilliseconds - 1, 0))
      }
    }
    return view.end(.done, "version \(number) answers", evidence: "")
  }

  private func fail(_ failure: String, _ view: RetrainingView) -> RetrainingAction {
    if view.retraining.step == .train, let run = view.registry.runs[view.id], run.result == nil {
      return .send(.finishRun(id: view.id, result: RunResult(status: .failed, error: String(failure.prefix(2_000)))))
    }
    return view.end(.stopped, failure)
  }
}
