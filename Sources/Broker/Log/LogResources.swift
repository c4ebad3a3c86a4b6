internal import Codecs

/// What all partition logs of a broker share: memory for decompression and scanning, and a bound on open files.
/// Confined to the broker's event loop.
package final class LogResources {
  let validator: RecordBatchValidator
  let segments: SegmentCache
  let decompressor = Decompressor()
  let decompressionLimit: DecompressionLimit
  /// Batches that are looked into, not delivered.
  private var scratch: [UInt8] = []

  /// - Parameters:
  ///   - maximumExpandedBytes: the most that the records of one batch may decompress to.
  ///   - maximumOpenSegments: how many closed segments stay open for reading.
  package init(maximumExpandedBytes: Int = 64 << 20, maximumOpenSegments: Int = 32) {
    validator = RecordBatchValidator(maximumExpandedBytes: maximumExpandedBytes)
    segments = SegmentCache(capacity: maximumOpenSegments)
    decompressionLimit = DecompressionLimit(maximumBytes: maximumExpandedBytes)
  }

  /// At least `count` bytes, until they are given back.
  func takeScratch(_ count: Int) -> [UInt8] {
    let taken = scratch
    scratch = []
    return taken.count >= count ? taken : [UInt8](repeating: 0, count: max(count, 16 << 10))
  }

  func giveBack(_ bytes: [UInt8]) {
    // What one large batch needed is not kept.
    if bytes.count <= 2 << 20 { scratch = bytes }
  }
}
