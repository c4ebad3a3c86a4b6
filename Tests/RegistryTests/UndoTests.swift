import Core
import Registry
import Testing

/// Promotions and rollbacks as the command line and HTTP make them of a registry.
@Suite struct UndoTests {
  private static func registry(_ changes: [RegistryCommand.Change]) -> RegistryState {
    var state = RegistryState()
    let versions = (1...3).map { number in
      RegistryCommand.Change.addVersion(
        ModelVersion(
          model: "fraud", number: number, contentHash: String(repeating: "\(number)", count: 64), format: "lightgbm",
          summary: "", featureCount: 1, featureNames: ["a"], outputCount: 1, addedAtMilliseconds: 5, addedBy: "ada"))
    }
    for (offset, change) in (versions + changes).enumerated() {
      let outcome = state.apply(
        RegistryCommand(actor: "ada", change: change), offset: Int64(offset), timeMilliseconds: Int64(offset))
      #expect(outcome == .applied, "\(change)")
    }
    return state
  }

  private static func set(_ version: Int, from expected: Int?) -> RegistryCommand.Change {
    .setAlias(model: "fraud", alias: "champion", version: version, expected: expected)
  }

  @Test func `a promotion expects what the alias stands for, or what was seen`() throws {
    let state = Self.registry([Self.set(1, from: nil)])
    let plain = try state.promotion(of: 2, model: "fraud", alias: "champion")
    #expect(plain.change == Self.set(2, from: 1) && plain.before == 1 && plain.version.number == 2)
    #expect(try state.promotion(of: 2, model: "fraud", alias: "champion", expected: 3).change == Self.set(2, from: 3))
    #expect(try state.promotion(of: 2, model: "fraud", alias: "champion", expected: 0).change == Self.set(2, from: nil))
    for (model, version, code) in [("froud", 1, "MODEL_NOT_FOUND"), ("fraud", 9, "MODEL_VERSION_NOT_FOUND")] {
      let error = #expect(throws: HeadraceError.self) {
        try state.promotion(of: version, model: model, alias: "champion")
      }
      #expect(error?.code == code)
    }
  }

  @Test func `a rollback goes to the version before, or where it is told`() throws {
    let state = Self.registry([Self.set(1, from: nil), Self.set(3, from: 1), Self.set(2, from: 3)])
    let rollback = try state.rollback(model: "fraud", alias: "champion")
    #expect(rollback.change == Self.set(3, from: 2) && rollback.current == 2 && rollback.version.number == 3)
    #expect(rollback.ended == nil)
    #expect(try state.rollback(model: "fraud", alias: "champion", to: 1).change == Self.set(1, from: 2))
  }

  @Test func `a trial under way ends first`() throws {
    let canary = Rollout(kind: .canary, version: 3, sharePerMille: 50)
    let state = Self.registry([
      Self.set(1, from: nil), Self.set(2, from: 1),
      .startRollout(model: "fraud", alias: "champion", rollout: canary, expected: 2),
    ])
    let rollback = try state.rollback(model: "fraud", alias: "champion")
    #expect(
      rollback.change
        == .endRollout(model: "fraud", alias: "champion", version: 3, verdict: .rolledBack, expected: 2))
    #expect(rollback.ended == 3 && rollback.version.number == 2)
    #expect(try state.rollback(model: "fraud", alias: "champion", to: 1).change == Self.set(1, from: 2))
  }

  @Test func `there is nothing before the first`() {
    let state = Self.registry([Self.set(1, from: nil)])
    for (alias, code) in [("champion", "NOTHING_BEFORE"), ("other", "ALIAS_NOT_FOUND")] {
      let error = #expect(throws: HeadraceError.self) { try state.rollback(model: "fraud", alias: alias) }
      #expect(error?.code == code)
    }
  }
}
