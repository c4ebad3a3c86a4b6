import Expressions
import Testing

@testable import Topology

/// Models, monitors and policies: declared and checked.
@Suite struct ModelTests {
  static let models = """

    models:
      delay:
        service: delay_v1
        each: departed
        output: small.predictions
        use: delay@champion
        shadow: delay:3
        label: {source: departed, match: flight_id, value: dep_delay > 15, within: 24h}
    monitors:
      drift: {model: delay, window: 1d, tests: {psi: 0.2}, performance: {auc: {min: 0.65}}}
    policies:
      retrain:
        when: drift(drift) for 2 windows or every 30d
        trainer: xgboost
        dataset: {window: 60d}
        gate: {auc: better than champion, log_loss: {max: 1}}
        promote: automatic
        cooldown: 7d
    """

  @Test func `They become typed values`() throws {
    let plan = try Sample.plan(Sample.text + Self.models)
    #expect(plan.models[0].use?.description == "delay@champion")
    #expect(plan.models[0].shadow?.selector == .version(3))
    #expect(plan.models[0].remoteViews == [1])
    #expect(plan.models[0].label?.withinMilliseconds == 86_400_000)
    #expect(plan.monitors[0].tests.map(\.test) == [.psi])
    #expect(
      plan.policies[0].triggers == [
        .drift(monitor: 0, windows: 2), .every(milliseconds: 2_592_000_000, isWallTime: false),
      ])
    #expect(plan.policies[0].work == .trainer(.xgboost, parameters: []))
    #expect(plan.policies[0].promote == .automatic)
    #expect(plan.topics.last?.name == "small.predictions")
    #expect(PlanReport(plan: plan).text.contains("policy retrain: model delay, when drift(drift) for 2 windows"))
  }

  @Test func `What only a label or a segment reads is decoded, archived or not`() throws {
    let models = Self.models.replacing(
      "match: flight_id, value: dep_delay > 15", with: "match: tailnum, value: seats > 150"
    ).replacing("tests: {psi: 0.2}", with: "segments: [plane_year], tests: {psi: 0.2}")
    // A policy would want the archive.
    let withoutPolicies = models[..<(try #require(models.firstRange(of: "policies:")).lowerBound)]
    for archive in ["", "    archive: off\n"] {
      let text = Sample.text.replacing("    lateness: 30m\n", with: "    lateness: 30m\n\(archive)") + withoutPolicies
      let plan = try Sample.plan(text)
      let (source, label) = (plan.sources[0], try #require(plan.models[0].label))
      #expect(source.isArchived == archive.isEmpty)
      #expect(
        source.scope[label.matchColumn].name == "tailnum" && source.scope[label.labelMatchColumn].name == "tailnum")
      #expect(plan.monitors[0].segments.map { source.scope[$0].name } == ["plane_year"])
    }
    let wrong = models.replacing("match: tailnum", with: "match: tailnmu")
    let errors = Sample.errors(
      Sample.text.replacing("    lateness: 30m\n", with: "    lateness: 30m\n    archive: off\n") + wrong)
    #expect(errors.contains { $0.contains("has no field `tailnmu`") }, "\(errors)")
  }

  static let mistakes: [(old: String, new: String, expected: String)] = [
    ("service: delay_v1", "service: delay_v2", "did you mean `delay_v1`?"),
    ("each: departed", "each: departd", "did you mean `departed`?"),
    ("output: small.predictions", "output: flights.departures", "reads"),
    ("use: delay@champion", "use: delay", "names no registered model"),
    ("shadow: delay:3", "shadow: delay:0", "names no registered model"),
    ("match: flight_id", "match: flightid", "has no field `flightid`"),
    ("value: dep_delay > 15", "value: carrier", "must be a number or a condition"),
    ("value: dep_delay > 15", "value: dep_dela > 15", "did you mean `dep_delay`?"),
    ("model: delay", "model: dely", "did you mean `delay`?"),
    ("psi: 0.2", "pssi: 0.2", "did you mean `psi`?"),
    ("psi: 0.2", "psi: none", "is no number"),
    ("psi: 0.2", "psi: -1", "must be above 0"),
    ("{auc: {min: 0.65}}", "{auc: {min: 2, max: 1}}", "is above its `max`"),
    ("{auc: {min: 0.65}}", "{auc: {}}", "has no bound"),
    ("drift(drift) for", "drift(drfit) for", "did you mean `drift`?"),
    ("drift(drift) for 2 windows or every 30d", "sometimes", "is not understood"),
    ("trainer: xgboost", "trainer: xgbost", "did you mean `xgboost`?"),
    ("trainer: xgboost", "trainer: xgboost\n    command: [a]", "needs one of `trainer`, `command` and `orchestrator`"),
    ("better than champion", "better", "is no gate"),
    (
      "promote: automatic", "shadow: {for: 1h, gates: [feature_drift<=0.1]}\n    promote: automatic",
      "it scores the events that the champion answers"
    ),
    (
      "promote: automatic", "canary: {share: 5%, for: 1h, gates: [feature_drift <= 0.1]}\n    promote: automatic",
      "do not carry the features that feature_drift compares"
    ),
    (
      "promote: automatic", "canary: {share: 5%, for: 1h, gates: [score_drif<=0.1]}\n    promote: automatic",
      "did you mean `score_drift`?"
    ),
    ("log_loss: {max: 1}", "rmse: {max: 1}", "one of auc, average_precision, log_loss, brier, accuracy"),
    ("log_loss: {max: 1}", "slices: {by: [carrier], metric: r2}", "is not measured for model `delay`"),
    ("trainer: xgboost", "orchestrator: {kind: dagster, url: \"https://d\", target: train}", "is no job"),
    ("    gate: {auc: better than champion, log_loss: {max: 1}}\n", "", "promotes without a gate"),
    ("    label: {source: departed, match: flight_id, value: dep_delay > 15, within: 24h}\n", "", "has no `label`"),
  ]

  @Test(arguments: mistakes.indices)
  func `Each mistake has its message`(index: Int) throws {
    let mistake = Self.mistakes[index]
    try #require(Self.models.contains(mistake.old))
    let errors = Sample.errors(Sample.text + Self.models.replacing(mistake.old, with: mistake.new))
    #expect(errors.contains { $0.contains(mistake.expected) }, "\(mistake.new): \(errors)")
  }

  @Test func `Policies are refused where the archive is off`() throws {
    let text = Sample.text.replacing("    lateness: 30m", with: "    lateness: 30m\n    archive: off") + Self.models
    let errors = Sample.errors(text)
    #expect(errors.contains { $0.contains("policy `retrain` trains on archived events") }, "\(errors)")
    #expect(errors.contains { $0.contains("source `departed` has `archive: off`") }, "\(errors)")
  }

  @Test func `Figures of numbers are gates where the label is a number`() throws {
    let text = Self.models.replacing("value: dep_delay > 15", with: "value: dep_delay")
    let ofNumbers = text.replacing("auc: better than champion, log_loss", with: "rmse: better than champion, r2")
    let plan = try Sample.plan(
      Sample.text + ofNumbers.replacing("performance: {auc: {min: 0.65}}", with: "performance: {rmse: {max: 9}}"))
    #expect(plan.policies[0].gates.count == 2)
  }

  @Test func `A change of a model is told`() throws {
    let before = try Sample.plan(Sample.text + Self.models)
    let after = try Sample.plan(Sample.text + Self.models.replacing("cooldown: 7d", with: "cooldown: 8d"))
    #expect(PlanDiff(old: before, new: after).changes.map(\.subject) == ["policy `retrain`"])
    #expect(before.fingerprint != after.fingerprint)
    let without = try Sample.plan()
    #expect(PlanDiff(old: before, new: without).changes.map(\.kind) == [.removed, .removed, .removed])
  }
}
