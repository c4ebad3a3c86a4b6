package import Core
internal import Glibc
internal import Storage

/// The models of a data folder: `registry.sqlite`, and the files in `models/`.
package struct LocalRegistry: Sendable {
  package let database: RegistryDatabase
  package let files: ModelFileStore

  package static func databasePath(_ dataDirectory: String) -> String { "\(dataDirectory)/registry.sqlite" }

  /// Opens what is there, or makes it.
  ///
  /// - Parameter dataDirectory: must be there.
  /// - Throws: what the disk and SQLite say.
  package init(dataDirectory: String) throws(HeadraceError) {
    files = ModelFileStore(try DiskBlobStore(root: "\(dataDirectory)/models"))
    database = try RegistryDatabase(path: Self.databasePath(dataDirectory))
  }

  /// Opens what is there.
  ///
  /// - Throws: `REGISTRY_MISSING`.
  package static func existing(dataDirectory: String) throws(HeadraceError) -> LocalRegistry {
    guard unsafe access(databasePath(dataDirectory), F_OK) == 0 else {
      throw HeadraceError(
        .user, "REGISTRY_MISSING", "there are no models in this folder", place: dataDirectory,
        remedy: "put one there with `headrace models add NAME FILE --data \(dataDirectory)`")
    }
    return try LocalRegistry(dataDirectory: dataDirectory)
  }

  /// Makes a model file the next version of a model.
  ///
  /// The file is durable before the command that names it: a process that dies between the two leaves a file that
  /// nobody names.
  ///
  /// - Parameters:
  ///   - bytes: of a file that was read and found good.
  ///   - version: what is known of it; its number and content hash are filled in here.
  /// - Returns: the version, or the one that has the same file already.
  package func add(
    _ bytes: [UInt8], as version: ModelVersion, actor: String, expectedNumber: Int? = nil
  ) throws(HeadraceError) -> (version: ModelVersion, isNew: Bool) {
    var version = version
    version.contentHash = try files.put(bytes)
    RegistryKillPoint.pass(.fileKept)
    let (outcome, state) = try database.append(timeMilliseconds: version.addedAtMilliseconds) {
      (state) throws(HeadraceError) in
      version.number = expectedNumber ?? (state[version.model]?.versions.count ?? 0) + 1
      return RegistryCommand(actor: actor, reason: version.note, change: .addVersion(version))
    }
    switch outcome {
    case .applied: return (version, true)
    case .refused(.contentKnown(let number)):
      guard let known = state[version.model]?[number] else { return (version, false) }
      return (known, false)
    case .refused(let refusal): throw refusal.error(place: version.model)
    }
  }

  /// What an alias has to stand for before it is moved.
  package enum Expectation: Sendable {
    case any
    /// nil: nothing.
    case version(Int?)
  }

  /// Moves an alias to a version, or to nothing.
  ///
  /// - Returns: what it stood for, and whether anything changed.
  package func setAlias(
    _ alias: String, of model: String, to version: Int?, expected: Expectation, actor: String, reason: String,
    timeMilliseconds: Int64
  ) throws(HeadraceError) -> (former: Int?, isChanged: Bool) {
    var former: Int?
    let (outcome, _) = try database.append(timeMilliseconds: timeMilliseconds) { (state) throws(HeadraceError) in
      former = state[model]?.aliases[alias]?.version
      var expectedVersion = former
      if case .version(let number) = expected { expectedVersion = number }
      return RegistryCommand(
        actor: actor, reason: reason,
        change: .setAlias(model: model, alias: alias, version: version, expected: expectedVersion))
    }
    switch outcome {
    case .applied: return (former, true)
    case .refused(.unchanged): return (former, false)
    case .refused(let refusal): throw refusal.error(place: "\(model)@\(alias)")
    }
  }
}
