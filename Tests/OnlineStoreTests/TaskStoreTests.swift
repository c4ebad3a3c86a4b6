import Columns
import Core
import Features
import Glibc
import Rocks
import Synchronization
import TestSupport
import Testing

@testable import OnlineStore

/// Namespaces, damage, full disks, snapshots.
@Suite struct TaskStoreTests {
  private static let time: Int64 = 1_700_000_000_000
  private static let key = EntityKey(bytes: Array("k".utf8))

  private static func apply(_ store: TaskStore, view: Int, count: Int = 1) throws {
    var batch = TestBatch()
    for row in 0..<count { batch.append(key, 1, offset: Int64(row), time: time, watermark: time) }
    try store.apply(view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
  }

  private static func count(_ store: TaskStore, view: Int) throws -> Value? {
    var values: [FeatureValue] = []
    try store.read(view: view, key: key, at: time, watermark: time, features: [0], into: &values)
    return values.first?.value
  }

  @Test func `a changed view gets rows of its own, and the old ones stay until they are dropped`() throws {
    let folder = try TestFolder()
    var store = try TaskStore(path: folder.path)
    let old = try store.namespace(for: try TestViews.layout())
    try Self.apply(store, view: old.view, count: 3)
    try store.checkpoint(meta: [1])
    let new = try store.namespace(for: try TestViews.layout(isWider: true))
    #expect(new.id != old.id && new.view != old.view)
    let moved = try store.namespace(for: try TestViews.layout(), source: "other")
    #expect(moved.id != old.id)
    #expect(try store.namespace(for: try TestViews.layout()).id == old.id)
    #expect(try Self.count(store, view: new.view) == .null)
    try Self.apply(store, view: new.view)
    try store.checkpoint(meta: [2], viewMeta: [new.id: [9]])
    store.close()

    store = try TaskStore(path: folder.path)
    #expect(try store.storedNamespaces().map(\.id) == [old.id, new.id, moved.id])
    let again = try store.namespace(for: try TestViews.layout(isWider: true))
    #expect(again.id == new.id && again.view == 0)
    #expect(try store.loadMeta(ofView: new.id) == [9])
    #expect(try store.loadMeta(ofView: old.id) == nil)
    try store.dropNamespace(old.id)
    #expect(try Self.count(store, view: again.view) == .integer(1))
    let fresh = try store.namespace(for: try TestViews.layout())
    #expect(fresh.id > moved.id, "a number is never used again")
    #expect(try Self.count(store, view: fresh.view) == .null)
    try store.dropNamespace(again.id)
    #expect(codeThrown { _ = try Self.count(store, view: again.view) } == "STATE_VIEW_DROPPED")
    #expect(codeThrown { try Self.apply(store, view: again.view) } == "STATE_VIEW_DROPPED")
    #expect(try store.loadMeta(ofView: new.id) == nil)
  }

  @Test func `features that only changed their names and order are read from the same rows`() throws {
    let folder = try TestFolder()
    let store = try TaskStore(path: folder.path)
    let layout = try TestViews.layout()
    let view = try store.namespace(for: layout)
    try Self.apply(store, view: view.view, count: 3)
    var definition = layout.definition
    definition.features.swapAt(0, 1)
    definition.features[0].name = "total"
    let turned = try ViewLayout(definition)
    try #require(turned.fingerprint == layout.fingerprint)
    let same = try store.namespace(for: turned)
    #expect(same.id == view.id && same.view == view.view)
    #expect(try Self.count(store, view: same.view) == .double(3), "the sum comes first now")
    try store.checkpoint(meta: [])
  }

  @Test func `rows that nobody can ask for leave the disk, others do not`() throws {
    let folder = try TestFolder()
    let store = try TaskStore(path: folder.path)
    let minute: Int64 = 60_000
    let short = try ViewLayout(
      ViewDefinition(
        name: "short", inputs: [], features: [.init(name: "c", function: .count, window: .sliding(length: minute))],
        latenessMilliseconds: minute))
    let views = [try store.namespace(for: short).view, try store.namespace(for: try TestViews.layout()).view]
    func apply(_ name: String, _ time: Int64) throws {
      var batch = TestBatch()
      batch.append(EntityKey(bytes: Array(name.utf8)), 1, offset: 0, time: time, watermark: time)
      for view in views {
        try store.apply(
          view: view, keys: batch.keys, inputs: view == 0 ? [] : [batch.amounts], rows: [0], headers: batch.headers)
      }
      try store.checkpoint(meta: [])
    }
    func stored() throws -> Int {
      try store.database.flush()
      try store.database.compact(from: [], to: [0xff], in: StoreFamily.rows)
      var count = 0
      var iterator = try store.database.iterator(in: StoreFamily.rows)
      while try iterator.next() { count += 1 }
      return count
    }
    try apply("old", Self.time)
    // Window, hop and twice the lateness.
    try apply("edge", Self.time + 3 * minute + 5_000)
    #expect(try stored() == 4)
    try apply("new", Self.time + 3 * minute + 5_001)
    #expect(try stored() == 5, "the first row of the view with the short window is gone")
  }

  @Test func `a row has its newest event time where the filter looks for it`() throws {
    let layout = try TestViews.layout()
    var model = StoreModel([layout])
    var batch = TestBatch()
    batch.append(Self.key, 1, offset: 0, time: Self.time, watermark: Self.time)
    try model.apply(batch, view: 0)
    let bytes = try #require(model.rows[0][Self.key])
    let time = unsafe bytes.withUnsafeBytes {
      unsafe Int64(
        littleEndian: $0.loadUnaligned(fromByteOffset: ViewLayout.newestEventTimeOffset, as: Int64.self))
    }
    #expect(time == Self.time)
  }

  @Test func `a snapshot is the last checkpoint, not what came after`() throws {
    let folder = try TestFolder()
    let store = try TaskStore(path: "\(folder.path)/a")
    let layout = try TestViews.layout()
    let view = try store.namespace(for: layout).view
    try Self.apply(store, view: view, count: 2)
    let taken = try store.beginCheckpoint(meta: [7])
    try Self.apply(store, view: view)
    try taken.write()
    try taken.copyState(to: "\(folder.path)/b")
    try store.endCheckpoint()
    let copy = try TaskStore(path: "\(folder.path)/b")
    #expect(try Self.count(copy, view: try copy.namespace(for: layout).view) == .integer(2))
    #expect(try copy.loadMeta() == [7])
    #expect(try Self.count(store, view: view) == .integer(3))
    #expect(throws: HeadraceError.self) { try taken.copyState(to: "\(folder.path)/b") }
    try store.checkpoint(meta: [8])
  }

  @Test func `a damaged row is never served, and the next start refuses as well`() throws {
    let folder = try TestFolder()
    let path = "\(folder.path)/s"
    let layout = try TestViews.layout()
    var store = try TaskStore(path: path)
    let namespace = try store.namespace(for: layout)
    try Self.apply(store, view: namespace.view)
    try store.checkpoint(meta: [])
    var batch = try WriteBatch(for: store.database)
    batch.put(MetaRecord.bytes(namespace.id) + Self.key.bytes, [1, 2, 3], in: StoreFamily.rows)
    try store.database.write(batch, sync: true)
    store.close()

    store = try TaskStore(path: path)
    let view = try store.namespace(for: layout).view
    #expect(codeThrown { _ = try Self.count(store, view: view) } == HeadraceError.corruptStateCode)
    #expect(codeThrown { try Self.apply(store, view: view) } == HeadraceError.corruptStateCode)
    #expect(codeThrown { try store.checkpoint(meta: [1]) } == HeadraceError.corruptStateCode)
    #expect(store.failure?.remedy != nil)
    store.close()
    #expect(codeThrown { _ = try TaskStore(path: path) } == HeadraceError.corruptStateCode)

    let aside = try TaskStore.moveAside(path)
    #expect(Folder.exists(aside) && !Folder.exists(path))
    let rebuilt = try TaskStore(path: path)
    #expect(try rebuilt.loadMeta() == nil)
  }

  @Test func `a bit that flipped on the disk is found by the worker that needs the row`() throws {
    let folder = try TestFolder()
    let layout = try TestViews.layout()
    do {
      let store = try TaskStore(path: folder.path)
      let namespace = try store.namespace(for: layout)
      try Self.apply(store, view: namespace.view, count: 300)
      try store.checkpoint(meta: [])
      try store.database.flush()
      store.close()
    }
    let file = try #require(
      TestFolder.files(folder.path, ending: ".sst").max {
        try TestFolder.contents($0).count < TestFolder.contents($1).count
      })
    var bytes = try TestFolder.contents(file)
    bytes[20] ^= 1
    try TestFolder.write(bytes, to: file)
    let code = codeThrown {
      let store = try TaskStore(path: folder.path)
      try Self.apply(store, view: try store.namespace(for: layout).view)
    }
    #expect(code == HeadraceError.corruptStateCode)
    #expect(Folder.exists("\(folder.path)/QUARANTINE"))
  }

  @Test func `on a full disk a checkpoint changes nothing, and succeeds when there is room`() throws {
    let folder = try TestFolder()
    let free = Shared(1 << 40)
    var options = StoreOptions()
    options.reserve = try DiskReserve(folder: folder.path, sizeBytes: 1 << 16, floorBytes: 1 << 16) { _ in free.value }
    let store = try TaskStore(path: "\(folder.path)/s", options: options)
    let layout = try TestViews.layout()
    let view = try store.namespace(for: layout).view
    try Self.apply(store, view: view)
    free.value = 1_000
    let failure = #expect(throws: HeadraceError.self) { try store.checkpoint(meta: [1]) }
    #expect(failure?.code == HeadraceError.fullDiskCode && failure?.retry == .sameCall)
    #expect(store.failure == nil && store.dirtyBytes > 0)
    #expect(try store.loadMeta() == nil)
    #expect(try Self.count(store, view: view) == .integer(1))
    try Self.apply(store, view: view)
    free.value = 1 << 40
    try store.checkpoint(meta: [2])
    store.close()
    let again = try TaskStore(path: "\(folder.path)/s", options: options)
    #expect(try Self.count(again, view: try again.namespace(for: layout).view) == .integer(2))
    #expect(try again.loadMeta() == [2])
  }

  private final class Shared: Sendable {
    private let storage: Atomic<Int64>

    init(_ value: Int64) { storage = Atomic(value) }

    var value: Int64 {
      get { storage.load(ordering: .relaxed) }
      set { storage.store(newValue, ordering: .relaxed) }
    }
  }

  @Test func `state of another format is not opened`() throws {
    let folder = try TestFolder()
    do {
      let store = try TaskStore(path: folder.path)
      var batch = try WriteBatch(for: store.database)
      batch.put(MetaRecord.formatKey, [200])
      try store.database.write(batch, sync: true)
      store.close()
    }
    #expect(codeThrown { _ = try TaskStore(path: folder.path) } == "STATE_FORMAT")
  }

  @Test func `a closed store refuses, and a second one of the same folder is told why`() throws {
    let folder = try TestFolder()
    let store = try TaskStore(path: folder.path)
    let view = try store.namespace(for: try TestViews.layout()).view
    #expect(codeThrown { _ = try TaskStore(path: folder.path) } == "STATE_LOCKED")
    try Self.apply(store, view: view)
    store.close()
    store.close()
    #expect(codeThrown { try store.checkpoint(meta: []) } == "STATE_CLOSED")
    #expect(codeThrown { _ = try Self.count(store, view: view) } == "STATE_CLOSED")
  }

  @Test func `records of the store decode as they were written, and nothing else does`() {
    let bytes = MetaRecord.encode(["name", String(repeating: "é", count: 100)], number: -5)
    let record = MetaRecord.decode(bytes, textCount: 2)
    #expect(record?.texts == ["name", String(repeating: "é", count: 100)] && record?.number == -5)
    for count in 0..<bytes.count { #expect(MetaRecord.decode(Array(bytes.prefix(count)), textCount: 2) == nil) }
    #expect(MetaRecord.decode(bytes + [0], textCount: 2) == nil)
    #expect(MetaRecord.decode(Array(repeating: 0xff, count: 30), textCount: 1) == nil)
    #expect(MetaRecord.end(of: [1, 0xff]) == [2])
  }
}
