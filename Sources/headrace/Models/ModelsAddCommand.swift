internal import ArgumentParser
internal import Core
internal import Inference
internal import Kafka
internal import Registry
internal import Runtime
internal import Storage
internal import Topology

struct ModelsAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add a model file as the next version of a model.",
    discussion: """
      The file goes into the store of tables, under models/<SHA-256>, where every worker finds it; the control topic gets \
      the command that names it. A version never changes.
      """)

  @OptionGroup var model: ModelOptions
  @Argument(help: ArgumentHelp("The model: LightGBM, XGBoost, ONNX or linear JSON.", valueName: "file")) var file: String
  @OptionGroup var place: TableOptions
  @Flag(help: "Let the alias stand for it at once.") var promote = false

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    guard place.isGiven else {
      throw ValidationError("--tables PLACE or --data DIR is missing: where the workers have their tables")
    }
    let store = try TableLocation.store(place.tables, dataDirectory: place.data ?? "")
    let bytes = try ModelFiles.read(file)
    let parsed = try Model(bytes, place: file)
    let hash = ModelFiles.contentHash(bytes)
    try await BlockingThread(name: "store").run {
      _ = try store.create(try BlobName("models/\(hash)"), bytes)
    }
    let known = try await cluster.snapshot()
    let number = (known.registry[model.name]?.versions.count ?? 0) + 1
    let version = ModelVersion(
      model: model.name, number: number, contentHash: hash, format: parsed.format.rawValue, summary: parsed.summary,
      featureCount: parsed.featureCount, featureNames: parsed.featureNames, outputCount: parsed.outputCount,
      addedAtMilliseconds: WallClock.system.nowMilliseconds, addedBy: ClusterRegistry.actor, note: model.reason ?? "")
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
