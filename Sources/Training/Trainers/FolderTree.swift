internal import Glibc

/// Folders that a program has written: nothing in them is believed, links are not followed.
package enum FolderTree {
  /// Deeper folders are not looked into.
  private static let depthMax = 64

  /// Removes what is at `path`, whatever it is.
  package static func remove(_ path: String) { remove(path, depth: 0) }

  private static func remove(_ path: String, depth: Int) {
    if unsafe unlink(path) == 0 || errno == ENOENT { return }
    guard depth < depthMax else { return }
    unsafe chmod(path, 0o700)
    for name in names(path) { remove("\(path)/\(name)", depth: depth + 1) }
    unsafe rmdir(path)
  }

  /// Bytes that the files in a folder take on the disk or say that they have, whichever is more; it stops to count at
  /// `limit`.
  static func sizeBytes(_ path: String, limit: Int, depth: Int = 0) -> Int {
    var total = 0
    for name in names(path) where total <= limit {
      let child = "\(path)/\(name)"
      var status = stat()
      guard unsafe lstat(child, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        if depth < depthMax { total += sizeBytes(child, limit: limit - total, depth: depth + 1) }
      } else {
        total += min(max(Int(status.st_size), Int(status.st_blocks) * 512), limit + 1)
      }
    }
    return total
  }

  /// What is directly in a folder, in order; at most `countMax` of it.
  static func names(_ path: String, countMax: Int = 1 << 16) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while names.count < countMax, let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
