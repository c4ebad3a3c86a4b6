internal import Core
internal import Inference
internal import Registry
internal import Storage
internal import Topology

/// The model of a batch, and what its predictions call it.
struct ScoringModel: Sendable {
  let name: String
  /// The number of a registered version; of a plain file its content hash.
  let version: String
  let compiled: CompiledModel

  var label: String { version.utf8.count == 64 ? "\(name) (\(version.prefix(12)))" : "\(name) version \(version)" }

  /// - Parameter reference: `NAME`, `NAME@ALIAS` or `NAME:VERSION`.
  /// - Throws: `MODEL_NOT_FOUND`, `MODEL_VERSION_NOT_FOUND`, `ALIAS_NOT_FOUND`, `WEIGHTS_WITHOUT_EFFECT`.
  init(_ reference: String, dataDirectory: String, _ weights: WeightsOptions) throws(HeadraceError) {
    let registry = try LocalRegistry.existing(dataDirectory: dataDirectory)
    let (found, bytes) = try Self.file(reference, registry)
    name = found.model
    version = "\(found.number)"
    let place = registry.files.place(of: found.contentHash)
    compiled = try weights.compile(Model(bytes, place: place), place: reference)
  }

  /// What a reference names, and its file.
  static func file(_ reference: String, _ registry: LocalRegistry) throws(HeadraceError) -> (ModelVersion, [UInt8]) {
    let found = try find(reference, in: try registry.database.state())
    return (found, try registry.files.read(found.contentHash))
  }

  init(file: String, _ weights: WeightsOptions) throws(HeadraceError) {
    let bytes = try ModelFiles.read(file)
    name = file.split(separator: "/").last.map(String.init) ?? file
    version = ContentHash.sha256(bytes)
    compiled = try weights.compile(Model(bytes, place: file), place: file)
  }

  private static func find(_ reference: String, in state: RegistryState) throws(HeadraceError) -> ModelVersion {
    let separator = reference.firstIndex { $0 == "@" || $0 == ":" }
    let model = try state.model(String(separator.map { reference[..<$0] } ?? reference[...]))
    guard let separator else {
      guard let current = model.current else { throw RegistryRefusal.aliasUnknown.error(place: reference) }
      return current
    }
    let selector = String(reference[reference.index(after: separator)...])
    if reference[separator] == "@" {
      guard let version = model.aliases[selector]?.version.flatMap({ model[$0] }) else {
        throw RegistryRefusal.aliasUnknown.error(place: reference)
      }
      return version
    }
    guard let number = Int(selector), let version = model[number] else {
      throw RegistryRefusal.versionUnknown(Int(selector) ?? 0, count: model.versions.count).error(place: reference)
    }
    return version
  }
}
