internal import Core
internal import Glibc
package import Inference
internal import Topology

/// The models of a plan, compiled: shared by the tasks of a process and by whoever answers requests.
package struct ModelSet: Sendable {
  /// By position in `Plan.models`; nil for one that does not run.
  package let compiled: [CompiledModel?]
  private let versions: [String?]

  static let empty = ModelSet(compiled: [], versions: [])

  private init(compiled: [CompiledModel?], versions: [String?]) {
    self.compiled = compiled
    self.versions = versions
  }

  package subscript(model: Int) -> CompiledModel? { model < compiled.count ? compiled[model] : nil }

  /// Reads the files of a plan's models.
  ///
  /// A file counts by its content. What a worker has read once it keeps in its data folder, so that a file that is
  /// exchanged under a plan in force changes nothing before the plan does.
  ///
  /// - Parameter former: what is loaded already; equal versions are taken from there.
  /// - Throws: `MODEL_FILE_CHANGED` when no file has the content that the plan names, and what reading throws.
  static func load(_ plan: Plan, dataDirectory: String, former: ModelSet = .empty) throws(HeadraceError) -> ModelSet {
    var compiled: [CompiledModel?] = []
    var versions: [String?] = []
    for model in plan.models {
      versions.append(model.stream?.file.contentHash)
      guard let file = model.stream?.file else {
        compiled.append(nil)
        continue
      }
      if let known = former.versions.firstIndex(of: file.contentHash), let model = former.compiled[known] {
        compiled.append(model)
      } else {
        compiled.append(try load(file, model.name, plan, dataDirectory))
      }
    }
    return ModelSet(compiled: compiled, versions: versions)
  }

  private static func load(
    _ file: ModelFile, _ name: String, _ plan: Plan, _ dataDirectory: String
  ) throws(HeadraceError) -> CompiledModel {
    let folder = "\(dataDirectory)/models"
    let kept = "\(folder)/\(file.contentHash)"
    if let bytes = try? ModelFiles.read(kept), ModelFiles.contentHash(bytes) == file.contentHash {
      return try CompiledModel(Model(bytes, place: kept))
    }
    let place = ModelFiles(besideTopology: plan.document.file).place(of: file.path)
    let bytes = try ModelFiles.read(place)
    guard ModelFiles.contentHash(bytes) == file.contentHash else {
      throw HeadraceError(
        .user, "MODEL_FILE_CHANGED",
        "model `\(name)` of the plan has version \(file.contentHash.prefix(16)), and the "
          + "file has another content", place: place,
        remedy: "apply the topology to put the new file in force, or bring the former one back")
    }
    let compiled = try CompiledModel(Model(bytes, place: place))
    try Folders.make(folder)
    try keep(bytes, at: kept)
    return compiled
  }

  /// Whole or not at all: whoever finds it compares the content.
  private static func keep(_ bytes: [UInt8], at path: String) throws(HeadraceError) {
    let temporary = "\(path).\(getpid())"
    guard let file = unsafe fopen(temporary, "we") else { throw notKept(path) }
    let count = unsafe fwrite(bytes, 1, bytes.count, file)
    let isClosed = unsafe fclose(file) == 0
    guard count == bytes.count, isClosed, unsafe rename(temporary, path) == 0 else {
      unsafe unlink(temporary)
      throw notKept(path)
    }
  }

  private static func notKept(_ path: String) -> HeadraceError {
    HeadraceError(
      .external, "MODEL_NOT_KEPT", "the model's file cannot be copied into the data folder", place: path,
      remedy: "check that there is room, and that the folder can be written to")
  }
}
