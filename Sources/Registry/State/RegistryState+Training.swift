extension RegistryState {
  // MARK: Reading

  /// Runs, oldest first.
  package func runs(experiment: String? = nil, model: String? = nil) -> [RegisteredRun] {
    runs.values.filter { (experiment ?? $0.run.experiment) == $0.run.experiment }
      .filter { (model ?? $0.run.model) == $0.run.model }.sorted { $0.started.offset < $1.started.offset }
  }

  /// Names of experiments with the number of their runs, by name.
  package var experiments: [(name: String, runCount: Int)] {
    Dictionary(grouping: runs.values, by: \.run.experiment).map { ($0.key, $0.value.count) }.sorted { $0.0 < $1.0 }
  }

  /// Approvals, oldest first.
  package func approvals(model: String? = nil, version: Int? = nil) -> [RegisteredApproval] {
    approvals.values.filter { (model ?? $0.approval.model) == $0.approval.model }
      .filter { (version ?? $0.approval.version) == $0.approval.version }
      .sorted { $0.requested.offset < $1.requested.offset }
  }

  /// Retrainings, oldest first.
  package func retrainings(policy: String? = nil) -> [RegisteredRetraining] {
    retrainings.values.filter { (policy ?? $0.retraining.policy) == $0.retraining.policy }
      .sorted { $0.opened.offset < $1.opened.offset }
  }

  /// The one that has not ended yet.
  package func openRetraining(policy: String) -> RegisteredRetraining? {
    retrainings.values.first { $0.isOpen && $0.retraining.policy == policy }
  }

  // MARK: Following

  mutating func start(_ run: TrainingRun, _ entry: RegistryEntry) throws(RegistryRefusal) {
    for name in [run.id, run.experiment, run.model] where !RegistryLimits.isModelName(name) {
      throw .nameInvalid(name)
    }
    guard runs[run.id] == nil else { throw .runKnown }
    runs[run.id] = RegisteredRun(run: run, started: entry)
  }

  mutating func finish(_ id: String, _ result: RunResult, _ entry: RegistryEntry) throws(RegistryRefusal) {
    guard let run = runs[id] else { throw .runUnknown(id) }
    if let result = run.result { throw .runOver(result.status) }
    runs[id]?.result = result
    runs[id]?.finished = entry
  }

  mutating func request(_ approval: Approval, _ entry: RegistryEntry) throws(RegistryRefusal) {
    guard RegistryLimits.isModelName(approval.id) else { throw .nameInvalid(approval.id) }
    guard RegistryLimits.isAliasName(approval.alias) else { throw .nameInvalid(approval.alias) }
    try known(approval.model).check(approval.version)
    guard approvals[approval.id] == nil else { throw .approvalKnown }
    let others = approvals(model: approval.model, version: approval.version)
    if let pending = others.first(where: { $0.isPending && $0.approval.alias == approval.alias }) {
      throw .approvalPending(id: pending.approval.id)
    }
    approvals[approval.id] = RegisteredApproval(approval: approval, requested: entry)
  }

  mutating func decide(_ id: String, _ verdict: ApprovalVerdict, _ entry: RegistryEntry) throws(RegistryRefusal) {
    guard let registered = approvals[id] else { throw .approvalUnknown }
    if let verdict = registered.verdict { throw .approvalDecided(verdict) }
    let isExpired = entry.timeMilliseconds > registered.approval.expiresAtMilliseconds
    guard isExpired == (verdict == .expired) else { throw isExpired ? .approvalExpired : .approvalNotExpired }
    if verdict != .expired, [registered.approval.requestedBy, registered.requested.actor].contains(entry.actor) {
      throw .ownRequest(entry.actor)
    }
    approvals[id]?.verdict = verdict
    approvals[id]?.decided = entry
  }

  mutating func open(_ retraining: Retraining, _ entry: RegistryEntry) throws(RegistryRefusal) {
    for name in [retraining.id, retraining.policy, retraining.model] where !RegistryLimits.isModelName(name) {
      throw .nameInvalid(name)
    }
    guard retrainings[retraining.id] == nil else { throw .retrainingKnown }
    if let other = openRetraining(policy: retraining.policy) { throw .retrainingOpen(id: other.retraining.id) }
    let first = RegisteredRetraining.Step(step: .dataset, note: "", evidence: "", entry: entry)
    retrainings[retraining.id] = RegisteredRetraining(retraining: retraining, opened: entry, steps: [first])
  }

  mutating func advance(
    _ id: String, from: RetrainingStep, to: RetrainingStep, note: String, evidence: String, _ entry: RegistryEntry
  ) throws(RegistryRefusal) {
    guard let registered = retrainings[id] else { throw .retrainingUnknown }
    guard registered.step == from else { throw .stepOvertaken(found: registered.step, expected: from) }
    guard from.leads(to: to) else { throw .stepInvalid(from: from, to: to) }
    if to == .refused || to == .stopped, note.isEmpty { throw .reasonMissing }
    retrainings[id]?.steps.append(.init(step: to, note: note, evidence: evidence, entry: entry))
  }

  mutating func claim(
    _ id: String, worker: String, untilMilliseconds: Int64, expected: String?, _ entry: RegistryEntry
  ) throws(RegistryRefusal) {
    guard let registered = retrainings[id] else { throw .retrainingUnknown }
    guard registered.isOpen else { throw .retrainingOver(registered.step) }
    let lease = registered.lease
    guard lease?.worker == expected else { throw .leaseOvertaken(found: lease?.worker, expected: expected) }
    if let lease, lease.worker != worker, entry.timeMilliseconds <= lease.untilMilliseconds {
      throw .leaseHeld(worker: lease.worker, untilMilliseconds: lease.untilMilliseconds)
    }
    retrainings[id]?.lease = .init(worker: worker, untilMilliseconds: untilMilliseconds, entry: entry)
  }
}
