internal import ArgumentParser
internal import Core
internal import Inference
internal import Kafka
internal import MLflow
internal import Registry
internal import Runtime
internal import Storage
internal import Topology

struct ModelsPublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Make a model file the next version of a model in a cluster.",
    discussion: """
      The file goes into the store of tables, under models/<SHA-256>, where every worker finds it; the control topic \
      gets the command that names it. A version never changes. (`models add` is for a folder without a cluster.)

      models:/NAME@ALIAS and models:/NAME/VERSION are fetched from an MLflow server (--mlflow).
      """)

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The model: LightGBM, XGBoost, ONNX or linear JSON.", valueName: "file")) var file:
    String
  @OptionGroup var place: TableOptions
  @OptionGroup var mlflow: MLflowOptions
  @Flag(help: "Let the alias stand for it at once.") var promote = false
  @Option(
    help: ArgumentHelp(
      "It is what this retraining waits for: its policy measures and registers it.", valueName: "id"))
  var retraining: String?

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    guard place.isGiven else {
      throw ValidationError("--tables PLACE or --data DIR is missing: where the workers have their tables")
    }
    let store = try TableLocation.store(place.tables, dataDirectory: place.data ?? "")
    let fetched = try await MLflowSource.fetch(file, mlflow)
    let bytes = try fetched?.bytes ?? ModelFiles.read(file)
    let parsed = try Model(bytes, place: file)
    let hash = ModelFiles.contentHash(bytes)
    if let retraining {
      let snapshot = try await cluster.snapshot()
      let entry = try snapshot.registry.retraining(retraining)
      let (_, policy) = try RetrainingTarget.find(entry.retraining.policy, topology: nil, snapshot)
      let kept = try await OutsideModel.keep(bytes, of: entry, policy: policy, in: store)
      try await cluster.send(kept.change, reason: model.reason, place: retraining)
      return try model.tell("retraining \(retraining) has its model: \(hash.prefix(16))") {
        $0.member("retraining", retraining)
        $0.member("content_hash", hash)
      }
    }
    try await BlockingThread(name: "store").run {
      _ = try store.create(try BlobName("models/\(hash)"), bytes)
    }
    let known = try await cluster.snapshot()
    let number = (known.registry[model.name]?.versions.count ?? 0) + 1
    let version = ModelVersion(
      model: model.name, number: number, contentHash: hash, format: parsed.format.rawValue, summary: parsed.summary,
      featureCount: parsed.featureCount, featureNames: parsed.featureNames, outputCount: parsed.outputCount,
      addedAtMilliseconds: WallClock.system.nowMilliseconds, addedBy: ClusterRegistry.actor, note: model.reason ?? "",
      lineage: fetched?.lineage)
    try await cluster.send(.addVersion(version), reason: model.reason, place: model.name)
    if promote {
      try known.check(version, alias: model.alias)
      let current = known.registry[model.name]?.aliases[model.alias]?.version
      try await cluster.send(
        .setAlias(model: model.name, alias: model.alias, version: number, expected: current), reason: model.reason,
        place: model.place)
    }
    try model.tell("version \(number) is \(hash.prefix(16)): \(parsed.summary)\(promote ? "; it answers" : "")") {
      $0.member("version", number)
      $0.member("content_hash", hash)
    }
  }
}
