internal import ArgumentParser
internal import Core
internal import Inference
internal import MLflow
internal import Registry
internal import Storage
internal import Topology

struct ModelsAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make a model file the next version of a model.",
    discussion: """
      LightGBM text, XGBoost JSON and UBJSON, ONNX, and linear models as JSON. The file is read, checked and compiled \
      first: one that is wrong, cut off or hostile is refused with the place and the reason, and nothing changes. A \
      file that is there already is not added again.

      --weights is tried out, and not kept: who scores says how (`weights` in a topology, --weights of score and serve).

      models:/NAME@ALIAS and models:/NAME/VERSION are fetched from an MLflow server (--mlflow).

      A server on the same folder serves the new version within a second.
      """)

  @Argument(help: ArgumentHelp("The model's name.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("The file.", valueName: "file")) var file: String
  @OptionGroup var store: ModelStoreOptions
  @OptionGroup var actor: ActorOptions
  @Option(help: ArgumentHelp("Let this alias stand for the version, such as champion.", valueName: "name"))
  var alias: String?
  @Option(help: ArgumentHelp("What this version is.", valueName: "text")) var note = ""
  @Option(
    help: ArgumentHelp("Fail unless the version gets this number: guards against another one.", valueName: "number"))
  var expect: Int?
  @OptionGroup var weights: WeightsOptions
  @OptionGroup var mlflow: MLflowOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard RegistryLimits.isModelName(name) else {
      throw ValidationError("\(name): expected letters, digits, `_`, `-` and `.`, the first one a letter or a digit")
    }
    if let alias, !RegistryLimits.isAliasName(alias) {
      throw ValidationError("--alias \(alias): expected a name that is no number")
    }
    guard note.utf8.count <= RegistryLimits.textBytes else {
      throw ValidationError("--note: expected at most \(RegistryLimits.textBytes) bytes")
    }
  }

  func run() async throws {
    let fetched = try await MLflowSource.fetch(file, mlflow)
    let bytes = try fetched?.bytes ?? read()
    let model = try Model(bytes, place: file)
    // The kernels are checked on the model's own thresholds before anything is kept.
    try weights.tryOut(model, place: file)
    let registry = try store.open()
    let now = WallClock.system.nowMilliseconds
    var new = ModelVersion(model, name: name, note: note, addedBy: actor.actor, nowMilliseconds: now)
    new.lineage = fetched?.lineage
    let (version, isNew) = try registry.add(
      bytes, as: new, actor: actor.actor, expectedNumber: expect)
    var former: Int?
    if let alias {
      former =
        try registry.setAlias(
          alias, of: name, to: version.number, expected: .any, actor: actor.actor, reason: note,
          timeMilliseconds: now
        ).former
    }
    switch output {
    case .json: try StandardOutput.writeAll(json(version, isNew: isNew, former: former))
    case .table: try StandardOutput.writeAll(Array(text(version, isNew: isNew, former: former).utf8))
    }
  }

  private func read() throws(HeadraceError) -> [UInt8] {
    do throws(HeadraceError) {
      return try ModelFiles.read(file)
    } catch {
      var error = error
      // It speaks of topologies.
      error.remedy = nil
      throw error
    }
  }

  private func text(_ version: ModelVersion, isNew: Bool, former: Int?) -> String {
    var text = "\(name) version \(version.number)\(isNew ? "" : ", there already"): \(version.summary)\n"
    if let alias {
      text += "\(name)@\(alias) stands for version \(version.number)"
      text += former.map { $0 == version.number ? ", as before\n" : ", before for \($0)\n" } ?? "\n"
    }
    return text
  }

  private func json(_ version: ModelVersion, isNew: Bool, former: Int?) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("model", name)
      json.member("new", isNew)
      version.writeMembers(to: &json)
      if let alias {
        json.member("alias", alias)
        json.key("alias_former_version")
        if let former { json.number(former) } else { json.null() }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension ModelVersion {
  /// What a file's model says of itself; number and content hash are not known yet.
  init(_ model: Model, name: String, note: String, addedBy: String, nowMilliseconds: Int64) {
    self.init(
      model: name, number: 0, contentHash: "", format: model.format.rawValue, summary: model.summary,
      featureCount: model.featureCount, featureNames: model.featureNames, outputCount: model.outputCount,
      addedAtMilliseconds: nowMilliseconds, addedBy: addedBy, note: note)
  }
}
