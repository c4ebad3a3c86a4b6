import Registry
import Testing

@Suite struct TrainingStateTests {
  private var state = RegistryState()

  private mutating func apply(
    _ change: RegistryCommand.Change, by actor: String = "ada", at timeMilliseconds: Int64 = 1_000
  ) -> RegistryOutcome {
    let next = state.offset + 1
    return state.apply(
      RegistryCommand(id: "c\(next)", actor: actor, change: change), offset: next, timeMilliseconds: timeMilliseconds)
  }

  @Test mutating func `a run begins once and ends once`() {
    #expect(apply(.startRun(.sample(id: "r1"))) == .applied)
    #expect(apply(.startRun(.sample(id: "r1"))) == .refused(.runKnown))
    let result = RunResult(status: .failed, error: "no room")
    #expect(apply(.finishRun(id: "r2", result: result)) == .refused(.runUnknown("r2")))
    #expect(apply(.finishRun(id: "r1", result: result)) == .applied)
    #expect(apply(.finishRun(id: "r1", result: RunResult(status: .finished))) == .refused(.runOver(.failed)))
    #expect(state.runs["r1"]?.result == result)
    #expect(apply(.startRun(.sample(id: "r0", experiment: "weekly"))) == .applied)
    #expect(state.experiments.map(\.name) == ["nightly", "weekly"])
    #expect(state.runs(experiment: "weekly").map(\.run.id) == ["r0"])
    #expect(state.runs().map(\.run.id) == ["r1", "r0"], "in the order in which they began")
  }

  @Test mutating func `a version names a run that there is`() {
    let version = ModelVersion.sample(number: 1, lineage: VersionLineage(runID: "r1"))
    #expect(apply(.addVersion(version)) == .refused(.runUnknown("r1")))
    #expect(apply(.startRun(.sample(id: "r1"))) == .applied)
    #expect(apply(.addVersion(version)) == .applied)
  }

  @Test mutating func `who asks does not decide`() {
    #expect(apply(.addVersion(.sample(number: 1))) == .applied)
    #expect(apply(.requestApproval(.sample(id: "a1", asker: "ada")), by: "policy") == .applied)
    #expect(apply(.requestApproval(.sample(id: "a2"))) == .refused(.approvalPending(id: "a1")))
    for actor in ["ada", "policy"] {
      for verdict in [ApprovalVerdict.approved, .rejected] {
        #expect(apply(.decideApproval(id: "a1", verdict: verdict), by: actor) == .refused(.ownRequest(actor)))
      }
    }
    #expect(apply(.decideApproval(id: "a1", verdict: .approved), by: "bob") == .applied)
    #expect(apply(.decideApproval(id: "a1", verdict: .rejected), by: "eve") == .refused(.approvalDecided(.approved)))
    #expect(apply(.requestApproval(.sample(id: "a2"))) == .applied, "the former one is decided")
  }

  @Test mutating func `a decision counts in time, and the end of the time not before`() {
    #expect(apply(.addVersion(.sample(number: 1))) == .applied)
    #expect(apply(.requestApproval(.sample(id: "a1", endMilliseconds: 2_000))) == .applied)
    #expect(
      apply(.decideApproval(id: "a1", verdict: .expired), by: "ada", at: 2_000) == .refused(.approvalNotExpired))
    #expect(apply(.decideApproval(id: "a1", verdict: .approved), by: "bob", at: 2_001) == .refused(.approvalExpired))
    #expect(apply(.decideApproval(id: "a1", verdict: .expired), by: "ada", at: 2_001) == .applied)
  }

  @Test mutating func `a policy has one retraining at a time, and its steps go forward`() {
    #expect(apply(.openRetraining(.sample(id: "t1"))) == .applied)
    #expect(apply(.openRetraining(.sample(id: "t2"))) == .refused(.retrainingOpen(id: "t1")))
    func advance(_ from: RetrainingStep, _ to: RetrainingStep, _ note: String = "") -> RegistryCommand.Change {
      .advanceRetraining(id: "t1", from: from, to: to, note: note, evidence: "")
    }
    #expect(apply(advance(.dataset, .train)) == .applied)
    #expect(apply(advance(.dataset, .train)) == .refused(.stepOvertaken(found: .train, expected: .dataset)))
    #expect(apply(advance(.train, .dataset)) == .refused(.stepInvalid(from: .train, to: .dataset)))
    #expect(apply(advance(.train, .gate)) == .applied, "steps may be left out")
    #expect(apply(advance(.gate, .refused)) == .refused(.reasonMissing))
    #expect(apply(advance(.gate, .refused, "worse")) == .applied)
    #expect(apply(advance(.refused, .done)) == .refused(.stepInvalid(from: .refused, to: .done)))
    #expect(state.openRetraining(policy: "nightly") == nil)
    #expect(apply(.openRetraining(.sample(id: "t2"))) == .applied)
    #expect(state.retrainings["t1"]?.steps.map(\.step) == [.dataset, .train, .gate, .refused])
  }

  @Test mutating func `a lease is taken over when it has ended, by one`() {
    #expect(apply(.openRetraining(.sample(id: "t1"))) == .applied)
    func claim(_ worker: String, until: Int64, expected: String?) -> RegistryCommand.Change {
      .claimRetraining(id: "t1", worker: worker, untilMilliseconds: until, expectedWorker: expected)
    }
    #expect(apply(claim("w1", until: 5_000, expected: nil), at: 1_000) == .applied)
    #expect(
      apply(claim("w2", until: 9_000, expected: nil), at: 2_000)
        == .refused(.leaseOvertaken(found: "w1", expected: nil)))
    #expect(
      apply(claim("w2", until: 9_000, expected: "w1"), at: 5_000)
        == .refused(.leaseHeld(worker: "w1", untilMilliseconds: 5_000)))
    #expect(apply(claim("w1", until: 6_000, expected: "w1"), at: 5_000) == .applied, "the holder prolongs it")
    #expect(apply(claim("w2", until: 9_000, expected: "w1"), at: 6_001) == .applied)
    #expect(
      apply(claim("w3", until: 9_000, expected: "w1"), at: 6_002)
        == .refused(.leaseOvertaken(found: "w2", expected: "w1")))
  }
}
