import Core
import Registry
import Testing

@Suite struct RegistryCommandTests {
  private static let changes: [RegistryCommand.Change] = [
    .addVersion(.sample(number: 7)),
    .setAlias(model: "m", alias: "champion", version: 3, expected: nil),
    .setAlias(model: "m", alias: "champion", version: nil, expected: 3),
    .startRollout(
      model: "m", alias: "champion",
      rollout: Rollout(
        kind: .canary, version: 2, sharePerMille: 50, salt: "s", segments: ["country == 'DE'"],
        gates: [RolloutGate(metric: .scorePSI, atMost: 0.1, predictionsMin: 1_000)], decides: .automatic),
      expected: 1),
    .endRollout(model: "m", alias: "champion", version: 2, verdict: .rolledBack, expected: 1),
    .addVersion(.sample(number: 8, lineage: VersionLineage(runID: "r1", origin: .sample, metrics: .samples))),
    .startRun(.sample(id: "r1")),
    .finishRun(
      id: "r1",
      result: RunResult(
        status: .finished, metrics: .samples,
        artefacts: [Artefact(name: "model", contentHash: String(repeating: "a", count: 64), sizeBytes: 7)])),
    .finishRun(id: "r1", result: RunResult(status: .failed, error: "no room \"left\"")),
    .requestApproval(.sample(id: "a1")),
    .decideApproval(id: "a1", verdict: .rejected),
    .openRetraining(.sample(id: "t1")),
    .advanceRetraining(id: "t1", from: .gate, to: .refused, note: "worse", evidence: #"{"auc":-0.1}"#),
    .claimRetraining(id: "t1", worker: "w1", untilMilliseconds: 9, expectedWorker: nil),
    .claimRetraining(id: "t1", worker: "w1", untilMilliseconds: 9, expectedWorker: "w0"),
  ]

  @Test(arguments: changes) func `a command is read as it was written`(_ change: RegistryCommand.Change) throws {
    let command = RegistryCommand(actor: "ada", reason: "because\u{1}", change: change)
    #expect(try RegistryCommand(json: command.encoded()) == command)
  }

  @Test func `a kind of a newer program is told from a broken command`() {
    let newer = Array(#"{"kind":"rename","id":"a","actor":"b","reason":"","model":"m"}"#.utf8)
    #expect(throws: RegistryCommandFault.unknownKind("rename")) { try RegistryCommand(json: newer) }
  }

  @Test(arguments: [
    "", "{}", "[", #"{"kind":"set_alias","id":"a","actor":"b","reason":"","model":"../m","alias":"x"}"#,
    #"{"kind":"set_alias","id":"a","actor":"b","reason":"","model":"m","alias":"3","version":1,"expected":null}"#,
    #"{"kind":"set_alias","id":"a","actor":"b","reason":"","model":"m","alias":"x","version":0,"expected":null}"#,
    #"{"kind":"set_alias","id":"a","actor":"b","reason":"","model":"m","alias":"x","version":1e99,"expected":1}"#,
    #"{"kind":"end_rollout","id":"a","actor":"b","reason":"","model":"m","alias":"x","version":1,"verdict":"no"}"#,
    #"{"kind":"finish_run","id":"a","actor":"b","reason":"","run_id":"r","status":"finished","metrics":[{"name":""}]}"#,
    #"{"kind":"decide_approval","id":"a","actor":"b","reason":"","approval_id":"../r","verdict":"approved"}"#,
    #"""
    {"kind":"advance_retraining","id":"a","actor":"b","reason":"","retraining_id":"r","from":"gate","to":"done",
    "note":"","evidence":"{"}
    """#,
  ]) func `what is no command is refused`(_ text: String) {
    #expect(throws: RegistryCommandFault.self) { try RegistryCommand(json: Array(text.utf8)) }
  }

  @Test func `a version of a program that knew no lineage is read`() throws {
    let command = RegistryCommand(actor: "ada", change: .addVersion(.sample(number: 1)))
    #expect(!String(decoding: command.encoded(), as: UTF8.self).contains("lineage"))
    #expect(try RegistryCommand(json: command.encoded()) == command)
  }

  /// Whatever a command says that is one, following it leaves a state that says the same of itself.
  @Test(arguments: [UInt64(61), 62]) func `mutated commands are refused or followed, never trapped on`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var state = RegistryState()
    for number in 1...3 {
      state.apply(
        RegistryCommand(actor: "ada", change: .addVersion(.sample(number: number))), offset: Int64(number),
        timeMilliseconds: 0)
    }
    var followed = 0
    for round in 0..<6_000 {
      var bytes = RegistryCommand(actor: "ada", change: Self.changes[round % Self.changes.count]).encoded()
      for _ in 0..<Int(random.next() % 4) {
        let at = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes[at] = UInt8(0x20 + random.next() % 0x5f)
        case 1: bytes.insert(contentsOf: Array("99999999999".utf8), at: at)
        case 2: bytes.remove(at: at)
        default: bytes[at] = UInt8(0x30 + random.next() % 10)
        }
      }
      guard let command = try? RegistryCommand(json: bytes) else { continue }
      #expect((try? RegistryCommand(json: command.encoded())) == command, "seed \(seed), round \(round)")
      let outcome = state.apply(command, offset: Int64(round + 4), timeMilliseconds: Int64(round))
      if outcome == .applied { followed += 1 }
    }
    #expect(followed > 0 && state.offset > 0)
  }

  @Test func `a command that was cut or changed anywhere never traps`() {
    for change in Self.changes {
      let bytes = RegistryCommand(actor: "ada", change: change).encoded()
      for index in bytes.indices {
        _ = try? RegistryCommand(json: Array(bytes[..<index]))
        var changed = bytes
        changed[index] ^= 0x15
        _ = try? RegistryCommand(json: changed)
      }
    }
  }
}
