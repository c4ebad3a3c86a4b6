import Registry
import Testing

@Suite struct RegistryStateTests {
  private var state = RegistryState()

  private mutating func apply(_ change: RegistryCommand.Change) -> RegistryOutcome {
    let next = state.offset + 1
    return state.apply(
      RegistryCommand(id: "c\(next)", actor: "ada", change: change), offset: next, timeMilliseconds: 1_000 + next)
  }

  private mutating func addVersions(_ count: Int) {
    for number in 1...count { #expect(apply(.addVersion(.sample(number: number))) == .applied) }
  }

  @Test mutating func `a version has the next number or is refused`() {
    addVersions(2)
    #expect(apply(.addVersion(.sample(number: 2, content: 9))) == .refused(.versionOvertaken(next: 3)))
    #expect(apply(.addVersion(.sample(number: 3, content: 1))) == .refused(.contentKnown(version: 1)))
    #expect(state["m"]?.versions.map(\.version.number) == [1, 2])
  }

  @Test mutating func `of two changes of an alias that expect the same the first one wins`() {
    addVersions(2)
    #expect(apply(.setAlias(model: "m", alias: "champion", version: 1, expected: nil)) == .applied)
    #expect(
      apply(.setAlias(model: "m", alias: "champion", version: 2, expected: nil))
        == .refused(.aliasOvertaken(found: 1, expected: nil)))
    #expect(state["m"]?.current?.number == 1)
  }

  @Test mutating func `an alias remembers what it stood for at each offset`() {
    addVersions(2)
    _ = apply(.setAlias(model: "m", alias: "champion", version: 1, expected: nil))
    _ = apply(.setAlias(model: "m", alias: "champion", version: 2, expected: 1))
    _ = apply(.setAlias(model: "m", alias: "champion", version: nil, expected: 2))
    let alias = state["m"]?.aliases["champion"]
    #expect((1...5).map { alias?.version(atOffset: $0) ?? 0 } == [0, 1, 2, 0, 0])
    #expect(state["m"]?.current?.number == 2, "the newest version where no alias stands")
  }

  @Test mutating func `a rollout that is promoted takes the alias in the same step`() {
    addVersions(3)
    _ = apply(.setAlias(model: "m", alias: "champion", version: 1, expected: nil))
    let canary = Rollout(kind: .canary, version: 2, sharePerMille: 50)
    #expect(apply(.startRollout(model: "m", alias: "champion", rollout: canary, expected: 1)) == .applied)
    let other = Rollout(kind: .split, version: 3, sharePerMille: 500)
    #expect(
      apply(.startRollout(model: "m", alias: "champion", rollout: other, expected: 1))
        == .refused(.rolloutRunning(version: 2)))
    #expect(
      apply(.endRollout(model: "m", alias: "champion", version: 2, verdict: .promoted, expected: 1)) == .applied)
    let alias = state["m"]?.aliases["champion"]
    #expect(alias?.version == 2)
    #expect(alias?.rollouts == [])
    #expect(alias?.rolloutHistory.map(\.verdict) == [.promoted])
  }

  @Test mutating func `a canary goes from step to step`() {
    addVersions(2)
    _ = apply(.setAlias(model: "m", alias: "champion", version: 1, expected: nil))
    for share in [10, 100, 500] {
      let step = Rollout(kind: .canary, version: 2, sharePerMille: share)
      #expect(apply(.startRollout(model: "m", alias: "champion", rollout: step, expected: 1)) == .applied)
    }
    let alias = state["m"]?.aliases["champion"]
    #expect(alias?.rollouts.map(\.sharePerMille) == [500])
    #expect(alias?.rolloutHistory.map(\.verdict) == [.replaced, .replaced, nil])
  }

  @Test mutating func `a record that was applied before changes nothing`() {
    addVersions(1)
    let command = RegistryCommand(
      actor: "ada", change: .setAlias(model: "m", alias: "champion", version: 1, expected: nil))
    #expect(state.apply(command, offset: 7, timeMilliseconds: 0) == .applied)
    let before = state
    #expect(state.apply(command, offset: 7, timeMilliseconds: 0) == .refused(.repeated))
    #expect(state == before)
  }

  @Test mutating func `what a command would do can be asked before it is sent`() {
    addVersions(1)
    let before = state
    #expect(state.outcome(of: .addVersion(.sample(number: 2))) == .applied)
    #expect(
      state.outcome(of: .setAlias(model: "n", alias: "champion", version: 1, expected: nil))
        == .refused(.modelUnknown(nearest: "m")))
    #expect(state == before)
  }
}

extension ModelVersion {
  /// - Parameter content: what the file holds; by default each version has another.
  static func sample(
    model: String = "m", number: Int, content: Int? = nil, lineage: VersionLineage? = nil
  ) -> ModelVersion {
    let digits = String(content ?? number, radix: 16)
    return ModelVersion(
      model: model, number: number, contentHash: String(repeating: "0", count: 64 - digits.count) + digits,
      format: "lightgbm", summary: "binary, 3 trees", featureCount: 2, featureNames: ["a", "b"], outputCount: 1,
      addedAtMilliseconds: 5, addedBy: "ada", note: "first \"light\"\n", lineage: lineage)
  }
}
