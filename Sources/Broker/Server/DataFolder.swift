internal import CBroker
internal import Core
internal import Glibc

/// The broker's folder on disk, held by at most one process.
///
///     DIR/lock                                held while the broker runs
///     DIR/journal                             topics, settings, committed offsets, transactions
///     DIR/topics/<name>.<id>/<partition>/     one partition log
struct DataFolder: ~Copyable {
  let path: String
  private let lock: Int32

  deinit { close(lock) }

  init(path: String) throws(HeadraceError) {
    try Self.make(path)
    try Self.make("\(path)/topics")
    let lockPath = "\(path)/lock"
    let descriptor = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw JournalFile.storageError("open", lockPath) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw HeadraceError(
        .user, "FOLDER_IN_USE", "another broker is running on this folder", place: path,
        remedy: "stop it, or choose another --data")
    }
    self.path = path
    lock = descriptor
  }

  var journalPath: String { "\(path)/journal" }

  func topicPath(name: String, id: TopicID) -> String { "\(path)/topics/\(Self.folderName(name: name, id: id))" }

  /// File systems allow 255 bytes; a topic's name may have 249, so the id keeps folders apart and the name is for
  /// people.
  static func folderName(name: String, id: TopicID) -> String { "\(name.prefix(200)).\(id)" }

  /// Folders that belong to no topic of the journal: what a deletion left when the process died.
  func orphans(keeping names: Set<String>) -> [String] {
    guard let folder = unsafe opendir("\(path)/topics") else { return [] }
    defer { unsafe closedir(folder) }
    var orphans: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." && !names.contains(name) { orphans.append("\(path)/topics/\(name)") }
    }
    return orphans.sorted()
  }

  /// Makes a folder and those above it; one that exists is fine.
  static func make(_ path: String) throws(HeadraceError) {
    if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw JournalFile.storageError("mkdir", path)
    }
    try make(String(path[..<slash]))
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw JournalFile.storageError("mkdir", path) }
  }

  /// Deletes a folder and what is in it; what is gone already is fine.
  static func remove(_ path: String) { _ = unsafe hr_remove_tree(path) }
}
