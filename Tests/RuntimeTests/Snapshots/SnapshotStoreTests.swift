import Core
import Glibc
import Storage
import Synchronization
import Testing

@testable import Runtime

/// Snapshots in a store: whole or not there, shared files once, and only what was checked comes back.
@Suite struct SnapshotStoreTests {
  private static let task: Int32 = 3

  /// Files of one snapshot by path.
  private typealias Content = [String: [UInt8]]

  private static func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/headrace-snapshots-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw HeadraceError(.external, "MKDTEMP", "no temporary folder") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeFolder(folder) }
    try body(folder)
  }

  private static func write(_ content: Content, to folder: String) throws {
    LocalFile.remove(folder)
    for part in ["", "/state", "/spool"] { _ = unsafe mkdir(folder + part, 0o755) }
    for (path, bytes) in content {
      var file = try LocalFile(creating: "\(folder)/\(path)")
      try file.append(bytes)
    }
  }

  private static func read(_ folder: String) throws -> Content {
    var content: Content = [:]
    for part in ["state", "spool"] {
      for name in DiskUsage.names("\(folder)/\(part)") {
        var bytes: [UInt8] = []
        try LocalFile.forEachPiece("\(folder)/\(part)/\(name)") { bytes += $0 }
        content["\(part)/\(name)"] = bytes
      }
    }
    return content
  }

  private static func manifest(_ offset: Int64) -> SnapshotManifest {
    SnapshotManifest(
      topology: "pay", task: task, takenAtMilliseconds: 1_000, inputs: [.init(topic: "payments", nextOffset: offset)])
  }

  @Test func `what went up comes back, the newest first, and shared files go up once`() throws {
    try Self.withFolder { folder in
      let snapshots = SnapshotStore(MemoryBlobStore(), topology: "pay")
      let large = (0..<(LocalFile.pieceBytes + 17)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let first: Content = ["state/CURRENT": Array("one\n".utf8), "state/000007.sst": large, "spool/1.rows": [1, 2]]
      let second: Content = ["state/CURRENT": Array("two\n".utf8), "state/000007.sst": large, "state/empty": []]
      try Self.write(first, to: "\(folder)/a")
      #expect(try snapshots.upload("\(folder)/a", Self.manifest(10)) == Int64(large.count + 6))
      try Self.write(second, to: "\(folder)/a")
      #expect(try snapshots.upload("\(folder)/a", Self.manifest(20)) == 4)
      let found = try snapshots.manifests(of: Self.task)
      #expect(found.map { $0.nextOffset(of: "payments") } == [20, 10])
      #expect(try snapshots.manifests(of: 4).isEmpty)
      for (manifest, content) in zip(found, [second, first]) {
        let target = "\(folder)/\(manifest.progress)"
        try snapshots.download(manifest, to: target)
        #expect(try Self.read(target) == content)
      }
    }
  }

  @Test func `only what the manifest says is taken, and another attempt goes on where one ended`() throws {
    try Self.withFolder { folder in
      let store = MemoryBlobStore()
      let snapshots = SnapshotStore(store, topology: "pay")
      let content: Content = ["state/CURRENT": Array("one\n".utf8), "state/000007.sst": [1, 2, 3]]
      try Self.write(content, to: "\(folder)/a")
      _ = try snapshots.upload("\(folder)/a", Self.manifest(10))
      let manifest = try #require(try snapshots.manifests(of: Self.task).first)
      let hash = try #require(manifest.files.first { $0.path == "state/000007.sst" }?.hash)
      let name = try BlobName("snapshots/pay/3/files/\(hash)")
      try store.put(name, [1, 2, 4])
      #expect { try snapshots.download(manifest, to: "\(folder)/b") } throws: {
        ($0 as? HeadraceError)?.code == "SNAPSHOT_DAMAGED"
      }
      try store.delete([name])
      #expect { try snapshots.download(manifest, to: "\(folder)/b") } throws: {
        ($0 as? HeadraceError)?.code == "SNAPSHOT_DAMAGED"
      }
      try store.put(name, [1, 2, 3])
      // A leftover of the attempts before, cut off in the middle.
      try Self.write(["state/CURRENT": Array("o".utf8)], to: "\(folder)/b")
      try snapshots.download(manifest, to: "\(folder)/b")
      #expect(try Self.read("\(folder)/b") == content)
    }
  }

  @Test func `a death before the manifest leaves nothing that counts, and old files go in time`() throws {
    try Self.withFolder { folder in
      let now = Mutex<Int64>(1_000_000)
      let store = MemoryBlobStore(clock: WallClock { now.withLock { $0 } })
      let snapshots = SnapshotStore(store, topology: "pay")
      // Files without a manifest: of a process that died.
      let lost = try BlobName("snapshots/pay/3/files/\(ContentHash.sha256([9, 9]))")
      try store.put(lost, [9, 9])
      #expect(try snapshots.manifests(of: Self.task).isEmpty)
      for number in 1...4 {
        now.withLock { $0 += 1_500_000 }
        try Self.write(["state/\(number)": [UInt8(number)], "state/shared": [7]], to: "\(folder)/a")
        _ = try snapshots.upload("\(folder)/a", Self.manifest(Int64(number)))
      }
      #expect(try snapshots.manifests(of: Self.task).map(\.progress) == [4, 3])
      var left: [String] = []
      try store.forEach(in: try BlobName("snapshots/pay/3/files")) { left.append($0.name.text) }
      // The first one's and the lost file went when they were over an hour old; the second's is not yet.
      let contents: [[UInt8]] = [[7], [2], [3], [4]]
      let expected = contents.map { "snapshots/pay/3/files/\(ContentHash.sha256($0))" }
      #expect(left.sorted() == expected.sorted())
      for manifest in try snapshots.manifests(of: Self.task) {
        try snapshots.download(manifest, to: "\(folder)/\(manifest.progress)")
      }
    }
  }

  @Test func `manifests of strangers are refused`() throws {
    let good = Self.manifest(10)
    #expect(try SnapshotManifest(json: good.encoded, place: "here") == good)
    let hash = String(repeating: "a", count: 64)
    let strange = ["state/../x", "/etc/passwd", "state/", "other/x", "state/a/b", "state/..", "state/\\u0000", "state"]
    for path in strange {
      let text = """
        {"version":1,"topology":"pay","task":3,"taken_at_ms":1,"inputs":[],
         "files":[{"path":"\(path)","bytes":1,"sha256":"\(hash)"}]}
        """
      #expect(throws: HeadraceError.self, "\(path)") { try SnapshotManifest(json: Array(text.utf8), place: "here") }
    }
    var random = SplitMix64(seed: 41)
    let text = good.encoded
    for _ in 0..<2_000 {
      var broken = text
      for _ in 0...Int(random.next() % 3) {
        broken[Int(random.next() % UInt64(broken.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      // Whatever it is, it does not trap.
      _ = try? SnapshotManifest(json: broken, place: "here")
    }
  }
}
