internal import Core
internal import Inference
internal import Logging
internal import Registry
internal import RemoteModels
internal import Storage
internal import Synchronization
internal import Topology

/// The model files of a process, compiled, by their content and the weights that they are compiled with.
///
/// A file counts by its content. What was read once is kept in the data folder, so that neither a file that is
/// exchanged nor a store that does not answer changes anything for a model that runs.
final class ModelLibrary: Sendable {
  /// Where files of the registry lie in the store that all workers share.
  static let sharedFolder = "models"

  private let kept: String
  private let shared: (any BlobStore)?
  private let logger: Logger
  private let compiled = Mutex<[Key: CompiledModel]>([:])

  private struct Key: Hashable {
    var contentHash: String
    var weights: CompileOptions.Weights
  }

  /// Endpoints keep their breakers, budgets and caches while plans come and go.
  private let remotes = Mutex<[Endpoint: RemoteModel]>([:])

  private struct Endpoint: Hashable {
    var configuration: RemoteModelConfiguration
    var featureNames: [String]
  }

  init(dataDirectory: String, shared: (any BlobStore)?, logger: Logger) {
    self.logger = logger
    kept = "\(dataDirectory)/models"
    self.shared = shared
  }

  /// A version of the registry.
  ///
  /// - Throws: `MODEL_FILE_MISSING` when it is neither here nor in the shared store, and what reading throws.
  func version(_ contentHash: String, _ weights: CompileOptions.Weights) throws(HeadraceError) -> CompiledModel {
    let key = Key(contentHash: contentHash, weights: weights)
    if let known = known(key) { return known }
    if let model = try local(key) { return model }
    guard let shared else { throw missing(contentHash, in: kept) }
    let name = try BlobName("\(Self.sharedFolder)/\(contentHash)")
    guard let bytes = try shared.read(name, bytesMax: ModelFileStore.bytesMax) else {
      throw missing(contentHash, in: "\(shared.place)/\(Self.sharedFolder)")
    }
    guard ModelFiles.contentHash(bytes) == contentHash else {
      throw HeadraceError(
        .external, "MODEL_FILE_CHANGED", "the file's content is not what its name says",
        place: "\(shared.place)/\(name)",
        remedy: "remove it, and add the model's version again")
    }
    return try keep(bytes, key, place: "\(shared.place)/\(name)")
  }

  /// A file beside the topology.
  ///
  /// - Throws: `MODEL_FILE_CHANGED` when no file has the content that the plan names, and what reading throws.
  func file(
    _ file: ModelFile, of name: String, _ plan: Plan, _ weights: CompileOptions.Weights
  ) throws(HeadraceError) -> CompiledModel {
    let key = Key(contentHash: file.contentHash, weights: weights)
    if let known = known(key) { return known }
    if let model = try local(key) { return model }
    let place = ModelFiles(besideTopology: plan.document.file).place(of: file.path)
    let bytes = try ModelFiles.read(place)
    guard ModelFiles.contentHash(bytes) == file.contentHash else {
      throw HeadraceError(
        .user, "MODEL_FILE_CHANGED",
        "model `\(name)` of the plan has version \(file.contentHash.prefix(16)), and the "
          + "file has another content", place: place,
        remedy: "apply the topology to put the new file in force, or bring the former one back")
    }
    return try keep(bytes, key, place: place)
  }

  /// A model behind an endpoint; the same one for every task.
  ///
  /// - Throws: `CREDENTIALS_MISSING`, `CREDENTIALS_INVALID`.
  func remote(
    _ configuration: RemoteModelConfiguration, featureNames: [String]
  ) throws(HeadraceError) -> RemoteModel {
    let endpoint = Endpoint(configuration: configuration, featureNames: featureNames)
    if let known = remotes.withLock({ $0[endpoint] }) { return known }
    let made = try RemoteModel(configuration, featureNames: featureNames)
    return remotes.withLock { remotes in
      let model = remotes[endpoint] ?? made
      remotes[endpoint] = model
      return model
    }
  }

  /// Forgets what nobody needs any more.
  func retain(_ contentHashes: Set<String>) {
    compiled.withLock { $0 = $0.filter { contentHashes.contains($0.key.contentHash) } }
  }

  private func known(_ key: Key) -> CompiledModel? { compiled.withLock { $0[key] } }

  private func local(_ key: Key) throws(HeadraceError) -> CompiledModel? {
    let path = "\(kept)/\(key.contentHash)"
    guard let bytes = try? ModelFiles.read(path), ModelFiles.contentHash(bytes) == key.contentHash else { return nil }
    return add(try compile(bytes, key, place: path), key)
  }

  private func keep(_ bytes: [UInt8], _ key: Key, place: String) throws(HeadraceError) -> CompiledModel {
    let model = try compile(bytes, key, place: place)
    try Folders.make(kept)
    try DiskBlobStore(root: kept).put(try BlobName(key.contentHash), bytes)
    return add(model, key)
  }

  private func compile(_ bytes: [UInt8], _ key: Key, place: String) throws(HeadraceError) -> CompiledModel {
    try CompiledModel(Model(bytes, place: place), options: CompileOptions(weights: key.weights))
  }

  private func add(_ model: CompiledModel, _ key: Key) -> CompiledModel {
    compiled.withLock { $0[key] = model }
    if let error = model.quantizationError {
      logger.notice(
        "a version scores with smaller weights",
        metadata: ["version": "\(key.contentHash.prefix(16))", "error": "\(error)"])
    }
    return model
  }

  private func missing(_ contentHash: String, in place: String) -> HeadraceError {
    HeadraceError(
      .external, "MODEL_FILE_MISSING", "there is no file of model version \(contentHash.prefix(16))", retry: .sameCall,
      place: place,
      remedy: "add the version again with `headrace models add`, with --tables where the workers have theirs")
  }
}
