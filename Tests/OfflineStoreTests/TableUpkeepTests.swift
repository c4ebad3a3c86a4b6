import Core
import Delta
import Storage
import TestSupport
import Testing

@testable import OfflineStore

/// What publishing leaves behind goes, but for what datasets were made of.
@Suite struct TableUpkeepTests {
  private static let day: Int64 = 86_400_000

  private static func pin(_ store: any BlobStore, _ version: Int64) throws {
    let manifest = """
      {"format_version":2,"name":"d","topology":"t","service":"s","service_fingerprint":"0","label_time":"at",
      "split":"none","content_hash":"0","as_known":true,"names_records":false,"row_count":0,"files":[],"schema":[],
      "views":[],"topics":[],"labels":{"kind":"parquet","place":"l.parquet"},
      "tables":[{"name":"events/test","source":"test","version":\(version),"offsets":{}},
      {"name":"events/other","source":"other","version":1,"offsets":{}}]}
      """
    try store.put(try BlobName("datasets/d/3/manifest.json"), Array(manifest.utf8))
  }

  @Test func `pins are the versions that manifests name`() throws {
    let store = MemoryBlobStore()
    #expect(try DatasetPins(in: store).versions(of: BlobName("events/test")).isEmpty)
    try Self.pin(store, 7)
    var pins = try DatasetPins(in: store)
    #expect(pins.pins(of: try BlobName("events/test")) == [.init(dataset: "d/3", version: 7)])
    pins.add(try DatasetCatalog(store).entry(BlobName("datasets/d/3")))
    #expect(pins.versions(of: try BlobName("events/test")) == [7])
    #expect(pins.versions(of: try BlobName("events")).isEmpty)
    // A dataset that lies elsewhere leaves a copy of its manifest, once.
    let manifest = try DatasetCatalog(store).entry(BlobName("datasets/d/3")).manifest
    for _ in 0..<2 { try DatasetPins.leave(manifest, in: store) }
    try store.delete([BlobName("datasets/d/3/manifest.json")])
    #expect(try DatasetPins(in: store).pins(of: BlobName("events/test")) == [.init(dataset: "d-0", version: 7)])
    try store.put(try BlobName("datasets/e/1/manifest.json"), Array("{".utf8))
    let error = #expect(throws: HeadraceError.self) { try DatasetPins(in: store) }
    #expect(error?.place?.contains("datasets/e/1/manifest.json") == true)
  }

  /// The publisher cleans up at version 900: by then all but the newest versions are older than any retention.
  @Test(arguments: [true, false])
  func `a publisher removes what no version within the retention and no dataset needs`(isPinned: Bool) throws {
    let clock = TestClock()
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    let offline = TestTable.make()
    let publisher = TablePublisher(store)
    let folder = try TestFolder()
    let spool = try Spool(
      path: folder.path + "/spool", tables: [offline], record: SpoolRecord(), positions: [0], published: [nil])
    func publish(_ offset: Int64) throws {
      try spool.append(0) { TestTable.append(offset, to: &$0) }
      _ = try spool.seal([offset + 1])
      spool.noteCheckpoint()
      _ = publisher.publishDue(
        spool.ledger, nowMilliseconds: clock.milliseconds, monotonicMilliseconds: 0, freshnessMilliseconds: 0,
        bytesMax: 0)
      #expect(spool.ledger.failure == nil)
    }
    // Three files, which a compaction replaces; then nothing but versions.
    for offset in 0..<Int64(3) { try publish(offset) }
    let root = try BlobName(offline.name)
    var table = try #require(try DeltaTable.open(store, root))
    let version = table.snapshot.version
    let pinned = table.snapshot.files.map(\.path.name)
    #expect(version == 3 && pinned.count == 3)
    try table.checkpoint(nowMilliseconds: clock.milliseconds)
    _ = try table.compact(nowMilliseconds: clock.milliseconds)
    while table.snapshot.version < 899 { _ = try table.commit(.append([]), nowMilliseconds: clock.milliseconds) }
    try table.checkpoint(nowMilliseconds: clock.milliseconds)
    if isPinned { try Self.pin(store, version) }
    try store.put(try root.appending("orphan.parquet"), [1])
    clock.milliseconds += 40 * Self.day
    try publish(3)
    table = try #require(try DeltaTable.open(store, root))
    #expect(table.snapshot.transactionVersion(offline.applicationID) == 4)
    #expect(try store.entry(try root.appending("orphan.parquet")) == nil)
    for name in pinned {
      #expect((try store.entry(try root.appending(name.text)) != nil) == isPinned, "\(name)")
    }
    if isPinned {
      #expect(try DeltaTable.open(store, root, at: .version(version))?.snapshot.files.map(\.path.name) == pinned)
    } else {
      #expect(throws: HeadraceError.self) { try DeltaTable.open(store, root, at: .version(version)) }
    }
    #expect(table.snapshot.rowCount == 4)
  }
}

/// A clock in a test's hands.
private final class TestClock: @unchecked Sendable {
  // One test, one thread.
  var milliseconds: Int64 = 1_700_000_000_000
}
