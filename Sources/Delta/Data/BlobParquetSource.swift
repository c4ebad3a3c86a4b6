package import Core
internal import Parquet
package import Storage

/// A Parquet file in a store, read by ranges. Its end, where the footer is, is read at once.
package final class BlobParquetSource: ParquetSource {
  package let sizeBytes: Int
  private let store: any BlobStore
  private let name: BlobName
  private let tail: (start: Int, bytes: [UInt8])

  /// Enough for the footers of most files, and for small files as a whole.
  private static let tailBytes = 256 << 10

  /// - Throws: DELTA_FILE_MISSING when the store has no such file.
  package init(store: any BlobStore, name: BlobName, sizeBytes: Int) throws(HeadraceError) {
    self.store = store
    self.name = name
    self.sizeBytes = sizeBytes
    let start = max(0, sizeBytes - Self.tailBytes)
    guard let bytes = try store.read(name, range: start..<sizeBytes) else { throw Self.missing(store, name) }
    tail = (start, bytes)
  }

  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError) {
    let count = buffer.count
    if offset >= tail.start {
      let first = offset - tail.start
      guard first <= tail.bytes.count, count <= tail.bytes.count - first else { throw truncated(offset, count) }
      unsafe tail.bytes.withUnsafeBytes { bytes in
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[first..<(first + count)]))
      }
      return
    }
    guard offset >= 0, count <= sizeBytes - offset else { throw truncated(offset, count) }
    guard let bytes = try store.read(name, range: offset..<(offset + count)) else { throw Self.missing(store, name) }
    unsafe bytes.withUnsafeBytes { unsafe buffer.copyMemory(from: $0) }
  }

  private func truncated(_ offset: Int, _ count: Int) -> HeadraceError {
    .corruptLog(
      "bytes \(offset) to \(offset &+ count) were to be read of a file of \(sizeBytes)", "\(store.place)/\(name)")
  }

  private static func missing(_ store: any BlobStore, _ name: BlobName) -> HeadraceError {
    HeadraceError(
      .external, "DELTA_FILE_MISSING", "the log names a file that is not there", place: "\(store.place)/\(name)",
      remedy: "restore the file; vacuum with a longer retention if a reader of an old version needed it")
  }
}
