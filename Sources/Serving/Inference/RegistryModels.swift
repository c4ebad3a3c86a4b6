package import Core
package import Inference
package import Logging
package import Registry

/// The models of a data folder as they are served: loaded, compiled, and loaded anew when the registry says so.
///
/// One thread owns it. What it gives is a value that requests hold on to: a request that has begun ends with the model
/// that it began with.
package final class RegistryModels {
  private let registry: LocalRegistry
  private let logger: Logger
  /// Newest versions of each model that are served; those that an alias stands for are besides.
  private let versionsMax: Int
  private let weightsOf: (String) -> CompileOptions.Weights
  /// By the content of their files and their weights.
  private var compiled: [String: CompiledModel] = [:]
  private var served = ServedModels.none
  /// Of the registry's file when it was last read; nil before.
  private var mark: Int64?

  /// - Parameter weightsOf: how a model keeps the weights of dense layers, by its name.
  package init(
    _ registry: LocalRegistry, versionsMax: Int, logger: Logger,
    weightsOf: @escaping (String) -> CompileOptions.Weights = { _ in .float32 }
  ) {
    self.registry = registry
    self.versionsMax = versionsMax
    self.logger = logger
    self.weightsOf = weightsOf
  }

  /// - Returns: nil while nothing has changed, which is found out without reading anything but a page of the file.
  /// - Throws: what the registry throws. A version that cannot be loaded is logged, and what runs stays.
  package func changes() throws(HeadraceError) -> ServedModels? {
    let mark = try registry.database.changeMark()
    guard mark != self.mark else { return nil }
    let state = try registry.database.state()
    self.mark = mark
    var families: [String: ServedModels.Family] = [:]
    for (name, model) in state.models { families[name] = family(model, former: served.families[name]) }
    served = ServedModels(families)
    let used = Set(families.values.flatMap { $0.versions.values.map(\.compiled).map(ObjectIdentifier.init) })
    compiled = compiled.filter { used.contains(ObjectIdentifier($0.value)) }
    return served
  }

  private func family(_ model: RegisteredModel, former: ServedModels.Family?) -> ServedModels.Family? {
    let aliases = model.aliases.values.filter { $0.version != nil }
    let newest = model.versions.suffix(versionsMax).map(\.version.number)
    let numbers = Set(newest).union(aliases.compactMap(\.version)).union([model.current?.number].compactMap(\.self))
    var versions: [String: ServedModel] = [:]
    for number in numbers.sorted() {
      guard let version = model[number] else { continue }
      versions["\(number)"] = load(version, former: former)
    }
    let names = numbers.sorted().map { "\($0)" }.filter { versions[$0] != nil }
    let wanted = model.current.flatMap { versions["\($0.number)"] }
    guard let current = wanted ?? former?.current ?? names.last.flatMap({ versions[$0] }) else { return nil }
    for alias in aliases { versions[alias.name] = alias.version.flatMap { versions["\($0)"] } }
    return ServedModels.Family(current: current, versions: versions, versionNames: names)
  }

  /// The same object as long as a version is served: it holds memory of earlier requests.
  private func load(_ version: ModelVersion, former: ServedModels.Family?) -> ServedModel? {
    if let known = former?.versions["\(version.number)"] { return known }
    do throws(HeadraceError) {
      let weights = weightsOf(version.model)
      let key = "\(version.contentHash)/\(weights.rawValue)"
      var model = compiled[key]
      if model == nil {
        model = try compile(version, weights)
        compiled[key] = model
      }
      return model.map { ServedModel(name: version.model, version: "\(version.number)", compiled: $0) }
    } catch {
      logger.error(
        "a version cannot be loaded; what runs stays",
        metadata: ["model": "\(version.model)", "version": "\(version.number)", "error": "\(error)"])
      return nil
    }
  }

  private func compile(
    _ version: ModelVersion, _ weights: CompileOptions.Weights
  ) throws(HeadraceError) -> CompiledModel {
    let bytes = try registry.files.read(version.contentHash)
    let parsed = try Model(bytes, place: registry.files.place(of: version.contentHash))
    let model = try CompiledModel(parsed, options: CompileOptions(weights: weights))
    var metadata: Logger.Metadata = [
      "model": "\(version.model)", "version": "\(version.number)", "summary": "\(version.summary)",
    ]
    if let error = model.quantizationError { metadata["weights"] = "\(error)" }
    logger.notice("model loaded", metadata: metadata)
    return model
  }
}
