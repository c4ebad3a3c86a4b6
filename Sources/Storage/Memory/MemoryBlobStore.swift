package import Core
internal import Synchronization

/// A store that ends with the process: for tests, and for tables that nobody keeps.
package final class MemoryBlobStore: BlobStore {
  private struct Object {
    var bytes: [UInt8]
    var modifiedMilliseconds: Int64
  }

  private let objects = Mutex<[BlobName: Object]>([:])
  private let clock: WallClock

  package init(clock: WallClock = .system) { self.clock = clock }

  package var place: String { "memory:" }
  package var backoffMilliseconds: Int { 0 }

  package func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    guard let bytes = objects.withLock({ $0[name]?.bytes }) else { return nil }
    guard bytes.count <= bytesMax else {
      throw .blobTooLarge("\(place)\(name)", sizeBytes: bytes.count, bytesMax: bytesMax)
    }
    return bytes
  }

  package func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]? {
    guard let bytes = objects.withLock({ $0[name]?.bytes }) else { return nil }
    guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
      throw .blobTruncated("\(place)\(name)", sizeBytes: bytes.count, range: range)
    }
    return Array(bytes[range])
  }

  package func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry? {
    objects.withLock { $0[name].map { Self.entry(name, $0) } }
  }

  package func list(
    in folder: BlobName?, after: BlobName?, countMax: Int
  ) throws(HeadraceError) -> [BlobEntry] {
    objects.withLock { objects in
      let names = objects.keys.filter { name in
        folder.map { name.isInside($0) } ?? true && after.map { $0 < name } ?? true
      }
      return names.sorted().prefix(countMax).compactMap { name in objects[name].map { Self.entry(name, $0) } }
    }
  }

  package func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool {
    let now = clock.nowMilliseconds
    return objects.withLock { objects in
      guard objects[name] == nil else { return false }
      objects[name] = Object(bytes: bytes, modifiedMilliseconds: now)
      return true
    }
  }

  package func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) {
    let now = clock.nowMilliseconds
    objects.withLock { $0[name] = Object(bytes: bytes, modifiedMilliseconds: now) }
  }

  package func delete(_ names: [BlobName]) throws(HeadraceError) {
    objects.withLock { objects in
      for name in names { objects[name] = nil }
    }
  }

  package func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter { CollectingWriter(self, name) }

  private static func entry(_ name: BlobName, _ object: Object) -> BlobEntry {
    BlobEntry(name: name, sizeBytes: object.bytes.count, modifiedMilliseconds: object.modifiedMilliseconds)
  }
}

/// Collects an object in memory and puts it at its end.
final class CollectingWriter: BlobWriter {
  private let store: any BlobStore
  private let name: BlobName
  private var bytes: [UInt8] = []

  init(_ store: any BlobStore, _ name: BlobName) {
    self.store = store
    self.name = name
  }

  func append(_ bytes: [UInt8]) throws(HeadraceError) { self.bytes += bytes }

  func finish() throws(HeadraceError) -> Int {
    guard try store.putIfAbsent(name, bytes) else { throw .blobExists("\(store.place)/\(name)") }
    return bytes.count
  }

  func abandon() { bytes = [] }
}
