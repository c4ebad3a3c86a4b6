package import Core
internal import Glibc

/// Objects as files of a folder, which other tools may read.
///
/// A new object is written under a temporary name, synced, and *linked* to its own: `link(2)` fails when the name is
/// taken, where `rename(2)` would overwrite it. So of two writers exactly one wins, a reader never meets half a file,
/// and what is reported written survives a loss of power, its name included. (reliability: lost races are EEXIST.)
package final class DiskBlobStore: BlobStore {
  /// An absolute path, or one relative to the working folder of the process.
  package let root: String
  private let temporaries: String

  /// Objects are written here first; a folder of the same file system, hidden from listings.
  static let temporaryFolder = ".headrace-temporary"

  /// A temporary that nobody has touched for so long belongs to a process that died.
  package static let abandonedMilliseconds: Int64 = 3_600_000

  /// Makes the folder if it is missing, and removes what dead processes left.
  package init(root: String, clock: WallClock = .system) throws(HeadraceError) {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
    temporaries = "\(self.root)/\(Self.temporaryFolder)"
    try DiskCalls.createFolder(temporaries)
    try removeAbandoned(before: clock.nowMilliseconds - Self.abandonedMilliseconds)
  }

  /// When nothing more will be written: a folder that is handed on has nothing in it but its objects.
  package func removeTemporaryFolder() { _ = unsafe rmdir(temporaries) }

  package var place: String { root }

  package func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    guard let file = try DiskCalls.File.open(reading: path(name)) else { return nil }
    let size = Int(try file.status().st_size)
    guard size <= bytesMax else { throw .blobTooLarge(path(name), sizeBytes: size, bytesMax: bytesMax) }
    return try file.read(from: 0, count: size)
  }

  package func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]? {
    guard let file = try DiskCalls.File.open(reading: path(name)) else { return nil }
    let size = Int(try file.status().st_size)
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw .blobTruncated(path(name), sizeBytes: size, range: range)
    }
    return try file.read(from: range.lowerBound, count: range.count)
  }

  package func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry? {
    guard let file = try DiskCalls.File.open(reading: path(name)) else { return nil }
    let status = try file.status()
    return BlobEntry(
      name: name, sizeBytes: Int(status.st_size), modifiedMilliseconds: DiskCalls.milliseconds(status.st_mtim))
  }

  package func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool {
    let temporary = try TemporaryFile(in: temporaries)
    try temporary.write(bytes)
    return try publish(temporary, name)
  }

  package func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) {
    let temporary = try TemporaryFile(in: temporaries)
    try temporary.write(bytes)
    try temporary.synchronize()
    let target = path(name)
    if unsafe rename(temporary.path, target) != 0 {
      guard errno == ENOENT else { throw DiskCalls.failure("rename", target) }
      try DiskCalls.createFolder(DiskCalls.parent(of: target))
      guard unsafe rename(temporary.path, target) == 0 else { throw DiskCalls.failure("rename", target) }
    }
    try DiskCalls.synchronizeFolder(DiskCalls.parent(of: target))
  }

  package func delete(_ names: [BlobName]) throws(HeadraceError) {
    for name in names {
      guard unsafe unlink(path(name)) == 0 || errno == ENOENT || errno == ENOTDIR else {
        throw DiskCalls.failure("unlink", path(name))
      }
    }
  }

  package func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter {
    DiskBlobWriter(store: self, name: name, temporary: try TemporaryFile(in: temporaries))
  }

  /// - Returns: false when the name is taken.
  /// - Throws: `.unknownOutcome` when the name is there, but may go with the power.
  func publish(_ temporary: borrowing TemporaryFile, _ name: BlobName) throws(HeadraceError) -> Bool {
    try temporary.synchronize()
    let target = path(name)
    var isLinked = unsafe link(temporary.path, target) == 0
    if !isLinked && errno == ENOENT {
      try DiskCalls.createFolder(DiskCalls.parent(of: target))
      isLinked = unsafe link(temporary.path, target) == 0
    }
    guard isLinked else {
      if errno == EEXIST { return false }
      throw DiskCalls.failure("link", target)
    }
    do throws(HeadraceError) {
      try DiskCalls.synchronizeFolder(DiskCalls.parent(of: target))
    } catch {
      var unknown = error
      unknown.retry = .unknownOutcome
      throw unknown
    }
    return true
  }

  func path(_ name: BlobName) -> String { "\(root)/\(name.text)" }

  private func removeAbandoned(before: Int64) throws(HeadraceError) {
    for (name, _) in try DiskCalls.names(in: temporaries) {
      let path = "\(temporaries)/\(name)"
      if let status = DiskCalls.status(path), status.modifiedMilliseconds < before { unsafe unlink(path) }
    }
  }
}

/// A file under a temporary name, which goes with its owner.
struct TemporaryFile: ~Copyable {
  private let file: DiskCalls.File
  var path: String { file.path }

  init(in folder: String) throws(HeadraceError) {
    file = try DiskCalls.File.create("\(folder)/\(getpid())-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))")
  }

  deinit { unsafe unlink(file.path) }

  func write(_ bytes: [UInt8]) throws(HeadraceError) { try file.write(bytes) }
  func synchronize() throws(HeadraceError) { try file.synchronize() }
}

final class DiskBlobWriter: BlobWriter {
  private let store: DiskBlobStore
  private let name: BlobName
  private var temporary: TemporaryFile?
  private var sizeBytes = 0

  init(store: DiskBlobStore, name: BlobName, temporary: consuming TemporaryFile) {
    self.store = store
    self.name = name
    self.temporary = consume temporary
  }

  func append(_ bytes: [UInt8]) throws(HeadraceError) {
    try temporary?.write(bytes)
    sizeBytes += bytes.count
  }

  func finish() throws(HeadraceError) -> Int {
    guard let temporary = temporary.take(), try store.publish(temporary, name) else {
      throw .blobExists(store.path(name))
    }
    return sizeBytes
  }

  func abandon() { temporary = nil }
}
