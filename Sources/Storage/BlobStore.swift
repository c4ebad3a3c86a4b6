package import Core

/// Objects under names: what tables, snapshots and models lie in.
///
/// Every object appears at once and as a whole, or not at all. What a call has reported done survives a loss of power
/// (on a disk) or has the object store's own promise. Calls block; any thread may make them, but none of Swift's pool.
///
/// Failures are `HeadraceError`s: `.sameCall` when nothing happened and another try may help, `.unknownOutcome` when it
/// is not known whether a change took place.
package protocol BlobStore: AnyObject, Sendable {
  /// What errors call it: `/var/lib/headrace/tables`, `s3://bucket/prefix`.
  var place: String { get }

  /// How long to wait, on average, before an operation that failed is tried again.
  var backoffMilliseconds: Int { get }

  /// A whole object; nil when there is none.
  ///
  /// - Throws: BLOB_TOO_LARGE when it has more than `bytesMax` bytes.
  func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]?

  /// Some bytes of an object; nil when there is none.
  ///
  /// - Throws: BLOB_TRUNCATED when the object ends before the range does.
  func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]?

  /// Many objects; the answers are in the order of the names.
  func read(_ names: [BlobName], bytesMax: Int) throws(HeadraceError) -> [[UInt8]?]

  /// Size and time of an object; nil when there is none.
  func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry?

  /// The objects of a folder at any depth, in the order of their names, from behind `after` on.
  ///
  /// - Parameter folder: nil for the whole store.
  /// - Returns: fewer than `countMax` only when there are no more.
  func list(in folder: BlobName?, after: BlobName?, countMax: Int) throws(HeadraceError) -> [BlobEntry]

  /// Writes an object unless there is one of that name.
  ///
  /// - Returns: whether it was written; false: another one was there.
  func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool

  /// Writes an object in place of what is there: for hints and other things that may be lost.
  func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError)

  /// Removes objects; those that do not exist are no failure.
  func delete(_ names: [BlobName]) throws(HeadraceError)

  /// Writes a large object in pieces. It appears with `finish()`; its name must be new.
  func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter
}

/// An object being written. One owner; without `finish()` nothing of it is ever seen.
package protocol BlobWriter: AnyObject {
  func append(_ bytes: [UInt8]) throws(HeadraceError)

  /// - Returns: the object's size in bytes.
  /// - Throws: BLOB_EXISTS when an object of that name is there.
  func finish() throws(HeadraceError) -> Int

  /// Gives up what was written so far.
  func abandon()
}

/// What a listing says of an object.
package struct BlobEntry: Sendable, Equatable {
  package var name: BlobName
  package var sizeBytes: Int
  /// When it was written, by the store's clock.
  package var modifiedMilliseconds: Int64

  package init(name: BlobName, sizeBytes: Int, modifiedMilliseconds: Int64) {
    self.name = name
    self.sizeBytes = sizeBytes
    self.modifiedMilliseconds = modifiedMilliseconds
  }
}

extension BlobStore {
  package var backoffMilliseconds: Int { 50 }

  package func read(_ names: [BlobName], bytesMax: Int) throws(HeadraceError) -> [[UInt8]?] {
    var objects: [[UInt8]?] = []
    for name in names { objects.append(try read(name, bytesMax: bytesMax)) }
    return objects
  }

  /// All objects of a folder, page by page.
  package func forEach(
    in folder: BlobName?, after: BlobName? = nil, _ body: (BlobEntry) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let pageCount = 1_000
    var last = after
    while true {
      let page = try list(in: folder, after: last, countMax: pageCount)
      for entry in page { try body(entry) }
      guard page.count == pageCount else { return }
      last = page.last?.name
    }
  }
}
