internal import Core
internal import Glibc

/// Folders that flags name.
enum Folder {
  /// Makes the folder and those above it; one that is there already is fine.
  static func make(_ path: String) throws(HeadraceError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += "\(part)/"
      guard unsafe mkdir(made, 0o755) == 0 || errno == EEXIST else { throw .file(path, "the folder cannot be made") }
    }
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
