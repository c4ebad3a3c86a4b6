/// How many bytes were held for how long: what storage and memory are paid by.
package struct ByteHours: Sendable, Equatable {
  /// At the last look.
  package private(set) var bytes: Int64 = 0
  /// Byte-milliseconds since the beginning.
  package private(set) var byteMilliseconds: Double = 0
  private var lastMilliseconds: Int64?

  package init() {}

  /// - Parameter bytes: what is held now; between two looks the mean of both counts.
  package mutating func note(_ bytes: Int64, nowMilliseconds now: Int64) {
    if let lastMilliseconds {
      byteMilliseconds += (Double(bytes) + Double(self.bytes)) / 2 * Double(max(now &- lastMilliseconds, 0))
    }
    self.bytes = bytes
    lastMilliseconds = now
  }
}
