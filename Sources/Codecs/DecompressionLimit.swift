/// How far an input may expand before it counts as an attack.
///
/// The byte limit bounds memory. The ratio bounds the work that a small input can cause; it holds only above a floor,
/// since an honest batch of equal rows compresses by more than any ratio worth setting (zstd writes 128 KiB of one byte
/// as 4 bytes). Of Kafka's codecs only zstd can reach the standard ratio: DEFLATE ends at 1032, LZ4 at 255, Snappy at
/// 22.
package struct DecompressionLimit: Sendable, Equatable {
  /// The largest output in bytes.
  package var maximumBytes: Int
  /// The largest output per byte of input, once the output is above `ratioFloorBytes`.
  package var maximumRatio: Int
  /// Outputs up to this size in bytes are allowed at any ratio.
  package var ratioFloorBytes: Int

  package init(maximumBytes: Int, maximumRatio: Int = 2_048, ratioFloorBytes: Int = 8 << 20) {
    self.maximumBytes = maximumBytes
    self.maximumRatio = maximumRatio
    self.ratioFloorBytes = ratioFloorBytes
  }

  /// 64 MiB, and at most 2048 times the input above 8 MiB. Kafka's brokers take batches of 1 MiB unless told otherwise.
  package static let standard = DecompressionLimit(maximumBytes: 64 << 20)

  /// The largest output in bytes for an input of `inputBytes`.
  package func allowedBytes(inputBytes: Int) -> Int {
    let (scaled, overflows) = inputBytes.multipliedReportingOverflow(by: maximumRatio)
    return min(maximumBytes, max(ratioFloorBytes, overflows ? Int.max : scaled))
  }
}
