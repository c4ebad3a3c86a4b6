internal import Core
internal import Rocks
internal import Storage

/// The snapshots of a topology's tasks in a store.
///
/// `snapshots/TOPOLOGY/TASK/manifests/PROGRESS-HASH.json` names what lies under `snapshots/TOPOLOGY/TASK/files/SHA256`.
/// Files have the names of their contents: what two snapshots share is there once, and nobody can overwrite it. Files
/// go up first, the manifest last; a process that dies in between leaves files that no manifest names, which go an
/// hour later. Several processes may write snapshots of one task (a zombie beside its successor): each is whole by
/// itself, and the one that has read the most is the newest.
struct SnapshotStore: Sendable {
  private let store: any BlobStore
  private let topology: String

  /// So many manifests are kept.
  private static let keptCount = 2
  /// Files that nothing names go when they are older, by the store's clock: somebody may be about to name them.
  private static let graceMilliseconds: Int64 = 3_600_000
  private static let manifestBytesMax = 64 << 20
  private static let attemptsMax = 3

  init(_ store: any BlobStore, topology: String) {
    self.store = store
    self.topology = topology
  }

  var place: String { "\(store.place)/snapshots/\(topology)" }

  // MARK: - Taking

  /// Uploads a folder that nobody changes.
  ///
  /// - Parameters:
  ///   - folder: with `state` and `spool`.
  ///   - manifest: without files.
  /// - Returns: how many bytes were not there already.
  func upload(_ folder: String, _ manifest: SnapshotManifest) throws(HeadraceError) -> Int64 {
    var manifest = manifest
    var known: Set<String> = []
    let files = try folderName(manifest.task, "files")
    try store.forEach(in: files) { entry in
      if let hash = entry.name.relative(to: files) { known.insert(hash) }
    }
    var uploadedBytes: Int64 = 0
    for part in [SnapshotFolder.state, SnapshotFolder.spool] where Folder.exists("\(folder)/\(part)") {
      for name in try Folder.names("\(folder)/\(part)") {
        let path = "\(folder)/\(part)/\(name)"
        let content = try LocalFile.digest(path)
        manifest.files.append(.init(path: "\(part)/\(name)", sizeBytes: content.sizeBytes, hash: content.hash))
        guard known.insert(content.hash).inserted else { continue }
        try upload(path, to: try files.appending(content.hash))
        uploadedBytes &+= Int64(content.sizeBytes)
      }
    }
    RuntimeKillPoint.pass(.snapshotUploaded)
    let name = try manifestName(manifest)
    guard try store.create(name, manifest.encoded) == .created else { return uploadedBytes }
    RuntimeKillPoint.pass(.snapshotNamed)
    try collect(manifest.task)
    return uploadedBytes
  }

  private func upload(_ path: String, to name: BlobName) throws(HeadraceError) {
    for attempt in 1... {
      do throws(HeadraceError) {
        let writer = try store.writer(name)
        do throws(HeadraceError) {
          try LocalFile.forEachPiece(path) { (piece) throws(HeadraceError) in try writer.append(piece) }
          _ = try writer.finish()
          return
        } catch {
          writer.abandon()
          throw error
        }
      } catch {
        // Of that name there is nothing but that content.
        if error.code == "BLOB_EXISTS" { return }
        let mayHelp = error.retry == .sameCall || error.retry == .unknownOutcome
        guard mayHelp, attempt < Self.attemptsMax else { throw error }
        Sleep.milliseconds(store.backoffMilliseconds << attempt)
      }
    }
  }

  /// Removes manifests that two newer ones have replaced, and files that nothing names any more.
  private func collect(_ task: Int32) throws(HeadraceError) {
    let manifests = try manifestNames(task)
    let kept = manifests.suffix(Self.keptCount)
    try store.delete(Array(manifests.dropLast(kept.count)))
    var named: Set<String> = []
    var newestMilliseconds = Int64.min
    for name in kept {
      // What cannot be read may name anything.
      guard let bytes = try store.read(name, bytesMax: Self.manifestBytesMax),
        let manifest = try? SnapshotManifest(json: bytes, place: "\(store.place)/\(name)"),
        let entry = try store.entry(name)
      else { return }
      named.formUnion(manifest.files.map(\.hash))
      newestMilliseconds = max(newestMilliseconds, entry.modifiedMilliseconds)
    }
    let files = try folderName(task, "files")
    var unnamed: [BlobName] = []
    try store.forEach(in: files) { entry in
      guard let hash = entry.name.relative(to: files), !named.contains(hash),
        newestMilliseconds &- entry.modifiedMilliseconds > Self.graceMilliseconds
      else { return }
      unnamed.append(entry.name)
    }
    try store.delete(unnamed)
  }

  // MARK: - Bringing back

  /// Manifests of a task, the newest first; those that cannot be read are left out.
  func manifests(of task: Int32) throws(HeadraceError) -> [SnapshotManifest] {
    var found: [SnapshotManifest] = []
    for name in try manifestNames(task).reversed() {
      guard let bytes = try store.read(name, bytesMax: Self.manifestBytesMax),
        let manifest = try? SnapshotManifest(json: bytes, place: "\(store.place)/\(name)"),
        manifest.topology == topology, manifest.task == task
      else { continue }
      found.append(manifest)
    }
    return found
  }

  /// Brings a snapshot's files into a folder, each checked by its content. Files that are there already, of an attempt
  /// that was cut off, are not read again.
  ///
  /// - Throws: SNAPSHOT_DAMAGED where the store has another content than the manifest says, or none.
  func download(_ manifest: SnapshotManifest, to folder: String) throws(HeadraceError) {
    let files = try folderName(manifest.task, "files")
    for part in [SnapshotFolder.state, SnapshotFolder.spool] { try Folder.create("\(folder)/\(part)") }
    for file in manifest.files {
      let path = "\(folder)/\(file.path)"
      if LocalFile.isThere(path), let found = try? LocalFile.digest(path), found.hash == file.hash { continue }
      try download(file, try files.appending(file.hash), to: path)
    }
    for part in [SnapshotFolder.state, SnapshotFolder.spool] { try Folder.synchronize("\(folder)/\(part)") }
  }

  private func download(
    _ file: SnapshotManifest.File, _ name: BlobName, to path: String
  ) throws(HeadraceError) {
    var local = try LocalFile(creating: path)
    var hasher = ContentHasher()
    var position = 0
    while position < file.sizeBytes {
      let end = min(position + LocalFile.pieceBytes, file.sizeBytes)
      guard let piece = try store.read(name, range: position..<end), !piece.isEmpty else {
        throw damaged(name, "it is not there, or shorter")
      }
      hasher.update(piece)
      try local.append(piece)
      position += piece.count
    }
    guard hasher.finish() == file.hash else { throw damaged(name, "its content is another one") }
  }

  private func damaged(_ name: BlobName, _ reason: String) -> HeadraceError {
    HeadraceError(
      .external, "SNAPSHOT_DAMAGED", "a file of the snapshot cannot be used: \(reason)",
      place: "\(store.place)/\(name)",
      remedy: "an older snapshot is taken if there is one; else the state comes from the log")
  }

  // MARK: - Names

  private func folderName(_ task: Int32, _ part: String) throws(HeadraceError) -> BlobName {
    try BlobName("snapshots/\(topology)/\(task)/\(part)")
  }

  /// Ordered by progress.
  private func manifestName(_ manifest: SnapshotManifest) throws(HeadraceError) -> BlobName {
    let digits = String(manifest.progress)
    let padded = String(repeating: "0", count: max(20 - digits.utf8.count, 0)) + digits
    let hash = ContentHash.sha256(manifest.encoded).prefix(16)
    return try folderName(manifest.task, "manifests").appending("\(padded)-\(hash).json")
  }

  private func manifestNames(_ task: Int32) throws(HeadraceError) -> [BlobName] {
    var names: [BlobName] = []
    try store.forEach(in: try folderName(task, "manifests")) { names.append($0.name) }
    return names
  }
}
