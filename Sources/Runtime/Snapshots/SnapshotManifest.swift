internal import Core

/// What a snapshot consists of: the files of one checkpoint, by their content, and where in the log they stand.
///
/// It is written behind its files, so that whoever sees it may count on them.
struct SnapshotManifest: Sendable, Equatable {
  struct File: Sendable, Equatable {
    /// `state/000012.sst`, `spool/3.rows`.
    var path: String
    var sizeBytes: Int
    /// SHA-256 of the content, and its name in the store.
    var hash: String
  }

  struct Input: Sendable, Equatable {
    var topic: String
    /// S.
    var nextOffset: Int64
  }

  var topology: String
  var task: Int32
  /// By the wall clock of the process that took it.
  var takenAtMilliseconds: Int64
  var inputs: [Input]
  var files: [File] = []

  /// Of two snapshots of a task the one that has read more is the newer one.
  var progress: Int64 { Self.progress(inputs.lazy.map(\.nextOffset)) }

  static func progress(_ offsets: some Sequence<Int64>) -> Int64 {
    offsets.reduce(0) { $0.addingReportingOverflow(max($1, 0)).partialValue }
  }

  func nextOffset(of topic: String) -> Int64? { inputs.first { $0.topic == topic }?.nextOffset }
}

// As an object of the store.
extension SnapshotManifest {
  private static let version: Int64 = 1

  var encoded: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("version", Self.version)
      writer.member("topology", topology)
      writer.member("task", task)
      writer.member("taken_at_ms", takenAtMilliseconds)
      writer.key("inputs")
      writer.array { writer in
        for input in inputs {
          writer.object { writer in
            writer.member("topic", input.topic)
            writer.member("next_offset", input.nextOffset)
          }
        }
      }
      writer.key("files")
      writer.array { writer in
        for file in files {
          writer.object { writer in
            writer.member("path", file.path)
            writer.member("bytes", file.sizeBytes)
            writer.member("sha256", file.hash)
          }
        }
      }
    }
    return writer.bytes
  }

  /// - Throws: SNAPSHOT_INVALID.
  init(json: [UInt8], place: String) throws(HeadraceError) {
    func invalid(_ reason: String) -> HeadraceError {
      HeadraceError(
        .external, "SNAPSHOT_INVALID", "this is no snapshot that can be read: \(reason)", place: place,
        remedy: "an older one is taken if there is one; else the state comes from the log")
    }
    guard let document = try? JSONDocument(json, depthMax: 8) else { throw invalid("no JSON") }
    guard document["version"]?.integer == Self.version else { throw invalid("another version of the format") }
    guard let topology = document["topology"]?.string,
      let task = document["task"]?.integer.flatMap({ Int32(exactly: $0) }),
      let time = document["taken_at_ms"]?.integer, let inputs = document["inputs"]?.elements,
      let files = document["files"]?.elements
    else { throw invalid("a field is missing") }
    self.init(topology: topology, task: task, takenAtMilliseconds: time, inputs: [])
    for input in inputs {
      guard let topic = input["topic"]?.string, let offset = input["next_offset"]?.integer, offset >= 0 else {
        throw invalid("an input is not whole")
      }
      self.inputs.append(Input(topic: topic, nextOffset: offset))
    }
    for file in files {
      guard let path = file["path"]?.string, let hash = file["sha256"]?.string,
        let size = file["bytes"]?.integer.flatMap({ Int(exactly: $0) }), size >= 0, Self.isPlain(path),
        hash.utf8.count == 64, hash.utf8.allSatisfy(Self.isHexadecimal)
      else { throw invalid("a file is not whole") }
      self.files.append(File(path: path, sizeBytes: size, hash: hash))
    }
  }

  /// A file of one of the two folders, and nothing that leads out of them.
  private static func isPlain(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && (parts[0] == SnapshotFolder.state || parts[0] == SnapshotFolder.spool)
      && !parts[1].isEmpty && parts[1] != "." && parts[1] != ".."
      && parts[1].utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7f }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}

/// The two parts of a snapshot.
enum SnapshotFolder {
  /// A RocksDB.
  static let state = "state"
  /// Segments of rows that wait for their tables.
  static let spool = "spool"
}
