import Expressions
import Foundation
import Testing

@testable import Topology

/// Models of a file: what the plan says of them, and what is refused.
@Suite struct StreamModelTests {
  static let models = """

    models:
      delay:
        service: delay_v2
        each: departed
        output: small.predictions
        file: model.json
        threshold: 0.5
        features: full
    """

  static let names = ["flights_1h", "mean_delay_6h", "distance", "against_mean"]

  static func text(_ features: String = "carriers:flights_1h, carriers:mean_delay_6h, request:distance, against_mean")
    throws -> String
  {
    let services = "  delay_v2: {features: [\(features)], defaults: {against_mean: 0}}"
    return "\(Sample.text)\n\(services)\(models)"
  }

  static func linear(_ names: [String], intercept: Double = 0) -> String {
    let weights = names.map { _ in "1" }.joined(separator: ", ")
    let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
    return #"{"model": "linear", "features": [\#(list)], "weights": [\#(weights)], "intercept": \#(intercept)}"#
  }

  /// Loads a topology with `model.json` beside it; nil: there is no such file.
  static func load(_ yaml: String, model: String?) throws -> Result<Plan, TopologyErrors> {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("headrace-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    if let model { try Data(model.utf8).write(to: folder.appendingPathComponent("model.json")) }
    return Sample.load(yaml, file: "\(folder.path)/small.yaml")
  }

  static func errors(_ yaml: String, model: String? = linear(names)) throws -> [String] {
    switch try load(yaml, model: model) {
    case .success: []
    case .failure(let errors): errors.diagnostics.map(\.description)
    }
  }

  @Test func `A plan says what runs, and can be made again without the file`() throws {
    let plan = try Self.load(Self.text(), model: Self.linear(Self.names)).get()
    let stream = try #require(plan.models[0].stream)
    #expect(stream.threshold == 0.5 && stream.features == .full && stream.format == .json)
    #expect(stream.file?.featureCount == 4 && stream.file?.contentHash.count == 64)
    let requested = plan.services[0].requestFields.map { plan.requestFields[$0].name }
    #expect(stream.requestColumns.map { plan.sources[0].scope[$0].name } == requested)
    #expect(requested.sorted() == ["dep_delay", "distance"])
    #expect(stream.keyColumns.map { $0.map { plan.sources[0].scope[$0].name } } == [["carrier"]])
    let document = try PlanDocument(decoding: plan.document.encoded())
    #expect(document == plan.document)
    let again = try TopologyLoader.load(document).get()
    #expect(again.fingerprint == plan.fingerprint && again.models[0].stream == stream)
    let report = PlanReport(plan: plan).text
    #expect(report.contains("model delay  of delay_v2 for each departed") && !report.contains("not run yet"))
  }

  @Test func `A model of the registry runs, and its aliases are no part of the plan`() throws {
    let text = try Self.text().replacing(
      "file: model.json", with: "use: delay@champion\n    shadow: delay@next\n    fallback: [delay@old, 0.5]")
    let plan = try Self.load(text, model: nil).get()
    let stream = try #require(plan.models[0].stream)
    #expect(stream.file == nil && stream.shadowTopic == "small.predictions.shadow")
    let old = ModelReference(model: "delay", selector: .alias("old"))
    #expect(stream.fallbacks == [.model(old), .constant(0.5)])
    let again = try TopologyLoader.load(try PlanDocument(decoding: plan.document.encoded())).get()
    #expect(again.fingerprint == plan.fingerprint && again.models[0].stream == stream)
    let report = PlanReport(plan: plan).text
    #expect(report.contains("uses    delay@champion of the registry") && report.contains("else    delay@old, then 0.5"))
    let other = try Self.load(text.replacing("0.5]", with: "0.4]"), model: nil).get()
    #expect(other.fingerprint != plan.fingerprint)
  }

  @Test func `Another file is another plan with the same views`() throws {
    let before = try Self.load(Self.text(), model: Self.linear(Self.names)).get()
    let after = try Self.load(Self.text(), model: Self.linear(Self.names, intercept: 1)).get()
    #expect(before.fingerprint != after.fingerprint)
    #expect(before.views.map(\.fingerprint) == after.views.map(\.fingerprint))
    let changes = PlanDiff(old: before, new: after).changes
    #expect(changes.map(\.subject) == ["model `delay`"] && changes[0].reason.contains("no state is rebuilt"))
  }

  @Test func `Smaller weights and batches are part of a plan that asks for them`() throws {
    func plan(_ keys: String) throws -> Plan {
      let text = try Self.text().replacing("file: model.json", with: "file: model.json\(keys)")
      return try Self.load(text, model: Self.linear(Self.names)).get()
    }
    let exact = try plan("")
    let named = try plan("\n    weights: float32")
    #expect(named.fingerprint == exact.fingerprint && named.models[0].stream == exact.models[0].stream)
    #expect(exact.models[0].stream?.batchRowsMax == nil)
    #expect(!PlanReport(plan: exact).text.contains("weights"))
    var fingerprints: Set<String> = [exact.fingerprint.description]
    for (keys, kind) in [("weights: int8", "int8"), ("weights: bf16", "bf16")] {
      let small = try plan("\n    \(keys)\n    max_batch: 64")
      let stream = try #require(small.models[0].stream)
      fingerprints.insert(small.fingerprint.description)
      #expect("\(stream.weights)" == (kind == "int8" ? "int8" : "bfloat16") && stream.batchRowsMax == 64)
      #expect(stream.file?.contentHash == exact.models[0].stream?.file?.contentHash)
      #expect(stream.file?.summary.contains("\(kind) weights: scores differ by") == true)
      #expect(small.views.map(\.fingerprint) == exact.views.map(\.fingerprint))
      let report = PlanReport(plan: small).text
      #expect(report.contains("weights \(kind)") && report.contains("batches of at most 64 rows"))
      let again = try TopologyLoader.load(try PlanDocument(decoding: small.document.encoded())).get()
      #expect(again.fingerprint == small.fingerprint && again.models[0].stream == stream)
      let changes = PlanDiff(old: exact, new: small).changes
      #expect(changes.map(\.subject) == ["model `delay`"] && changes[0].reason.contains("no state is rebuilt"))
    }
    #expect(fingerprints.count == 3)
    fingerprints.insert(try plan("\n    max_batch: 64").fingerprint.description)
    #expect(fingerprints.count == 4)
  }

  @Test func `Smaller weights of trees are refused, and those of a registered model wait for its versions`() throws {
    let trees = try Repository.text("Tests/RuntimeTests/Models/payments.txt")
    let text = try Self.text().replacing("file: model.json", with: "file: model.json\n    weights: int8")
    let errors = try Self.errors(text, model: trees)
    #expect(errors.contains { $0.contains("`weights` of model `delay` change nothing") }, "\(errors)")
    let registered = try Self.text().replacing("file: model.json", with: "use: delay@champion\n    weights: int8")
    let plan = try Self.load(registered, model: nil).get()
    #expect(plan.models[0].stream.map { "\($0.weights)" } == "int8")
  }

  @Test func `Fields that only a model reads are decoded`() throws {
    let text = try Self.text().replacing("    lateness: 30m\n", with: "    lateness: 30m\n    archive: off\n")
    let plan = try Self.load(text, model: Self.linear(Self.names)).get()
    #expect(plan.sources[0].scope.contains { $0.name == "distance" })
  }

  static let mistakes: [(old: String, new: String, expected: String)] = [
    ("file: model.json", "file: models/none.json", "there is no such file"),
    ("file: model.json", "file: model.json\n    use: delay@champion", "needs one of `file`, `use` and `remote`"),
    ("    file: model.json\n", "", "needs one of `file`, `use` and `remote`"),
    ("file: model.json", "file: model.json\n    shadow: delay", "names no registered model"),
    ("file: model.json", "file: model.json\n    shadow: {use: delay:3, output: small.dlq}", "needs for something else"),
    ("file: model.json", "file: model.json\n    fallback: [0.5, delay@old]", "never fails"),
    ("file: model.json", "file: model.json\n    fallback: [delay, 0.5]", "names no registered model"),
    ("threshold: 0.5", "threshold: high", "is no number"),
    ("output: small.predictions", "output: small.dlq", "needs for something else"),
    ("features: full", "features: all", "has an unknown value"),
    ("features: full", "format: arvo", "did you mean `avro`?"),
    ("file: model.json", "files: model.json", "did you mean `file`?"),
    ("file: model.json", "file: model.json\n    weights: int4", "`weights` of model `delay` has an unknown value"),
    ("file: model.json", "file: model.json\n    max_batch: 0", "`max_batch` of model `delay` is out of range"),
    ("file: model.json", "file: model.json\n    max_batch: many", "`max_batch` of model `delay` is out of range"),
    (
      "file: model.json", "remote: {url: \"http://a:8000\", protocol: oip}\n    weights: int8",
      "`weights` of model `delay` is for versions that this process scores itself"
    ),
    (
      "file: model.json", "remote: {url: \"http://a:8000\", protocol: oip}\n    max_batch: 9",
      "`max_batch` of model `delay` is for versions that this process scores itself"
    ),
  ]

  @Test(arguments: mistakes.indices)
  func `Each mistake has its message`(index: Int) throws {
    let mistake = Self.mistakes[index]
    let text = try Self.text()
    try #require(text.contains(mistake.old))
    let errors = try Self.errors(text.replacing(mistake.old, with: mistake.new))
    #expect(errors.contains { $0.contains(mistake.expected) }, "\(errors)")
  }

  @Test(arguments: [
    (linear(["a", "b"]), "2 features in the file"),
    (linear(["flights_1h", "mean_delay_6h", "against_mean", "distance"]), "column 2"),
    ("{}", "`file` of model `delay`"), ("tree\n", "`file` of model `delay`"),
  ])
  func `A file that does not fit is refused where it is named`(model: String, expected: String) throws {
    let errors = try Self.errors(Self.text(), model: model)
    #expect(errors.contains { $0.contains(expected) && $0.contains("small.yaml:") }, "\(errors)")
  }

  @Test func `Columns that a library has numbered fit any service`() throws {
    #expect(try Self.errors(Self.text(), model: Self.linear((0..<4).map { "Column_\($0)" })).isEmpty)
  }

  @Test func `Models take numbers`() throws {
    let text = try Self.text("carriers:flights_1h, request:origin, request:distance, against_mean")
    let errors = try Self.errors(text, model: Self.linear(["flights_1h", "origin", "distance", "against_mean"]))
    #expect(errors.contains { $0.contains("models take numbers") }, "\(errors)")
  }
}
