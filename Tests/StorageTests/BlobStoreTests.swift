import Core
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// What every store owes its callers, held against the store in memory and the one on the disk.
@Suite struct BlobStoreTests {
  enum Kind: CaseIterable, Sendable { case memory, disk }

  /// A store that is gone when the test ends.
  final class Fixture {
    let store: any BlobStore
    private let folder: TestFolder?

    init(_ kind: Kind) throws {
      switch kind {
      case .memory:
        store = MemoryBlobStore()
        folder = nil
      case .disk:
        let folder = try TestFolder()
        store = try DiskBlobStore(root: folder.path)
        self.folder = folder
      }
    }
  }

  @Test(arguments: Kind.allCases)
  func `an object is there as a whole or not at all`(kind: Kind) throws {
    let fixture = try Fixture(kind)
    let name = try BlobName("a/b/c")
    #expect(try fixture.store.read(name, bytesMax: 10) == nil)
    #expect(try fixture.store.entry(name) == nil)
    #expect(try fixture.store.putIfAbsent(name, [1, 2, 3]))
    #expect(try fixture.store.read(name, bytesMax: 10) == [1, 2, 3])
    #expect(try fixture.store.read(name, range: 1..<3) == [2, 3])
    #expect(try fixture.store.entry(name)?.sizeBytes == 3)
    #expect(throws: HeadraceError.self) { try fixture.store.read(name, bytesMax: 2) }
    #expect(throws: HeadraceError.self) { try fixture.store.read(name, range: 1..<4) }
  }

  @Test(arguments: Kind.allCases)
  func `the second to put a name loses, and the first stays`(kind: Kind) throws {
    let fixture = try Fixture(kind)
    let name = try BlobName("log/0.json")
    #expect(try fixture.store.putIfAbsent(name, [1]))
    #expect(try !fixture.store.putIfAbsent(name, [2]))
    #expect(try fixture.store.create(name, [2]) == .exists([1]))
    #expect(try fixture.store.read(name, bytesMax: 10) == [1])
    try fixture.store.put(name, [3])
    #expect(try fixture.store.read(name, bytesMax: 10) == [3])
    try fixture.store.delete([name, try BlobName("never/was")])
    #expect(try fixture.store.read(name, bytesMax: 10) == nil)
  }

  @Test(arguments: Kind.allCases)
  func `a writer's object appears when it is finished`(kind: Kind) throws {
    let fixture = try Fixture(kind)
    let name = try BlobName("data/part")
    let writer = try fixture.store.writer(name)
    try writer.append([1, 2])
    #expect(try fixture.store.entry(name) == nil)
    try writer.append([3])
    #expect(try writer.finish() == 3)
    #expect(try fixture.store.read(name, bytesMax: 10) == [1, 2, 3])
    let second = try fixture.store.writer(name)
    try second.append([9])
    #expect(throws: HeadraceError.self) { try second.finish() }
    let third = try fixture.store.writer(try BlobName("data/given-up"))
    try third.append([9])
    third.abandon()
    #expect(try fixture.store.list(in: nil, after: nil, countMax: 10).map(\.name.text) == ["data/part"])
  }

  @Test(arguments: Kind.allCases)
  func `listings are in the order of bytes, page by page, as a naive filter gives them`(kind: Kind) throws {
    let fixture = try Fixture(kind)
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let parts = ["a", "a-", "a.b", "b", "é", "0", "aa", "_log", "z z"]
    var names: Set<BlobName> = []
    for _ in 0..<120 {
      let depth = Int.random(in: 1...3, using: &random)
      let text = (0..<depth).map { level in
        // Files and folders have different names, as a disk wants it.
        parts[Int.random(in: 0..<parts.count, using: &random)] + (level == depth - 1 ? ".x" : "")
      }
      names.insert(try BlobName(text.joined(separator: "/")))
    }
    for name in names { #expect(try fixture.store.putIfAbsent(name, [0])) }
    let sorted = names.sorted()
    for _ in 0..<60 {
      let folder =
        Bool.random(using: &random) ? nil : try BlobName(parts[Int.random(in: 0..<parts.count, using: &random)])
      let after = Bool.random(using: &random) ? nil : sorted.randomElement(using: &random)
      let count = Int.random(in: 1...40, using: &random)
      let expected = sorted.filter { name in
        (folder.map { name.isInside($0) } ?? true) && (after.map { $0 < name } ?? true)
      }.prefix(count)
      let found = try fixture.store.list(in: folder, after: after, countMax: count).map(\.name)
      #expect(found == Array(expected), "seed \(seed)")
    }
    var walked: [BlobName] = []
    try fixture.store.forEach(in: nil) { (entry) throws(HeadraceError) in walked.append(entry.name) }
    #expect(walked == sorted, "seed \(seed)")
  }

  @Test func `of many threads exactly one wins each name on a disk`() async throws {
    let fixture = try Fixture(.disk)
    guard let store = fixture.store as? DiskBlobStore else { return }
    let wins = Wins()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          for number in 0..<25 {
            guard let name = try? BlobName("log/\(number)"),
              (try? store.putIfAbsent(name, [UInt8(writer)])) == true
            else { continue }
            wins.counts.withLock { $0[name, default: 0] += 1 }
          }
        }
      }
    }
    #expect(wins.counts.withLock { $0.count } == 25)
    #expect(wins.counts.withLock { $0.values.allSatisfy { $0 == 1 } })
    #expect(try DiskCalls.names(in: "\(store.root)/\(DiskBlobStore.temporaryFolder)").isEmpty)
  }

  private final class Wins: Sendable {
    let counts = Mutex<[BlobName: Int]>([:])
  }

  @Test func `opening a disk removes what dead writers left, and nothing of living ones`() throws {
    let fixture = try Fixture(.disk)
    guard let store = fixture.store as? DiskBlobStore else { return }
    let folder = "\(store.root)/\(DiskBlobStore.temporaryFolder)"
    _ = try DiskCalls.File.create("\(folder)/999-old")
    let now = WallClock.system.nowMilliseconds
    _ = try DiskBlobStore(root: store.root, clock: WallClock { now })
    #expect(try DiskCalls.names(in: folder).count == 1)
    _ = try DiskBlobStore(root: store.root, clock: WallClock { now + 2 * DiskBlobStore.abandonedMilliseconds })
    #expect(try DiskCalls.names(in: folder).isEmpty)
    #expect(try store.list(in: nil, after: nil, countMax: 10).isEmpty)
  }

  @Test func `what is no object of ours is not listed`() throws {
    let fixture = try Fixture(.disk)
    guard let store = fixture.store as? DiskBlobStore else { return }
    #expect(try store.putIfAbsent(try BlobName("a/x"), [1]))
    #expect(unsafe symlink("/etc", "\(store.root)/a/link") == 0)
    // A way that leads in a circle.
    #expect(unsafe symlink("..", "\(store.root)/a/up") == 0)
    #expect(unsafe mkfifo("\(store.root)/a/pipe", 0o600) == 0)
    #expect(try store.list(in: nil, after: nil, countMax: 10).map(\.name.text) == ["a/x"])
    #expect(throws: HeadraceError.self) { try store.read(try BlobName("a"), bytesMax: 10) }
  }
}
