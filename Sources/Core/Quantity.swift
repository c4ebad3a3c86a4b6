/// Durations and sizes as people write them in flags and files: `100ms`, `10s`, `24h`, `128MiB`.
package enum Quantity {
  private static let durationUnits: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]
  private static let byteUnits: [(suffix: String, bytes: Int64)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
  ]

  /// Milliseconds of `30s`, `24h`; nil when it is no duration or does not fit.
  package static func milliseconds(_ text: String) -> Int64? {
    scaled(text, by: durationUnits.map { ($0.suffix, $0.milliseconds) })
  }

  /// Bytes of `128MiB`, `4096`; nil when it is no size or does not fit.
  package static func bytes(_ text: String) -> Int64? {
    Int64(text).flatMap { $0 >= 0 ? $0 : nil } ?? scaled(text, by: byteUnits.map { ($0.suffix, $0.bytes) })
  }

  private static func scaled(_ text: String, by units: [(String, Int64)]) -> Int64? {
    for (suffix, factor) in units where text.hasSuffix(suffix) {
      guard let count = Int64(text.dropLast(suffix.count)), count >= 0 else { continue }
      let (product, overflow) = count.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
    return nil
  }
}
