internal import Glibc

/// What folders take on the disk, as `du` counts it: allocated blocks, of folders too.
enum DiskUsage {
  /// - Returns: 0 when there is nothing; files that go meanwhile are left out.
  static func bytes(_ path: String) -> Int64 {
    var total: Int64 = 0
    var waiting = [path]
    while let next = waiting.popLast() {
      var status = stat()
      guard unsafe lstat(next, &status) == 0 else { continue }
      total &+= Int64(status.st_blocks) * 512
      guard status.st_mode & S_IFMT == S_IFDIR else { continue }
      waiting += names(next).map { "\(next)/\($0)" }
    }
    return total
  }

  static func names(_ path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
