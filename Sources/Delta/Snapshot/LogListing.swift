internal import Core
internal import Storage

/// What lies in a table's log: which commits, which complete checkpoints.
struct LogListing {
  private(set) var commits: [Int64: BlobEntry] = [:]
  private var parts: [Int64: [Int64: [Int64: BlobEntry]]] = [:]

  /// Takes one object of the log's folder; what is no commit and no checkpoint is passed over.
  mutating func add(_ entry: BlobEntry, in folder: BlobName) {
    guard let name = entry.name.relative(to: folder).flatMap(LogName.init) else { return }
    switch name {
    case .commit(let version): commits[version] = entry
    case .checkpoint(let version, let part, let count): parts[version, default: [:]][count, default: [:]][part] = entry
    }
  }

  var newestVersion: Int64? {
    [commits.keys.max(), checkpoints.last?.version].compactMap { $0 }.max()
  }

  /// Checkpoints of which all parts are there, oldest first.
  var checkpoints: [(version: Int64, files: [BlobEntry])] {
    parts.compactMap { version, counts in
      let complete = counts.filter { count, found in Int64(found.count) == count }
      return complete.min { $0.key < $1.key }.map { _, found in
        (version, found.sorted { $0.key < $1.key }.map(\.value))
      }
    }.sorted { $0.version < $1.version }
  }

  /// When each version was written. A clock that went back does not take the log back with it: each time is later than
  /// the one before.
  var timestamps: [(version: Int64, milliseconds: Int64)] {
    var last = Int64.min
    return commits.sorted { $0.key < $1.key }.map { version, entry in
      last = max(entry.modifiedMilliseconds, last == Int64.min ? last : last &+ 1)
      return (version, last)
    }
  }
}

/// `_last_checkpoint`: where to begin to look. A hint, never the truth.
struct LastCheckpoint {
  var version: Int64
  var actionCount: Int64
  var sizeBytes: Int64
  var fileCount: Int64

  static let name = "_last_checkpoint"
  static let bytesMax = 16 << 20

  init(version: Int64, actionCount: Int64, sizeBytes: Int64, fileCount: Int64) {
    self.version = version
    self.actionCount = actionCount
    self.sizeBytes = sizeBytes
    self.fileCount = fileCount
  }

  /// Nil for whatever is no such file.
  init?(_ bytes: [UInt8]) {
    guard let document = try? JSONDocument(bytes, depthMax: 64), let version = document["version"]?.integer,
      (0...LogName.versionMax).contains(version)
    else { return nil }
    self.init(
      version: version, actionCount: document["size"]?.integer ?? 0, sizeBytes: document["sizeInBytes"]?.integer ?? 0,
      fileCount: document["numOfAddFiles"]?.integer ?? 0)
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("version", version)
      writer.member("size", actionCount)
      writer.member("sizeInBytes", sizeBytes)
      writer.member("numOfAddFiles", fileCount)
    }
    return writer.bytes
  }
}
