internal import Core

/// The UUID of a run (RFC 9562).
package struct LineageRunID: Sendable, Hashable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  /// A new one, by chance (version 4).
  package init() {
    var generator = SystemRandomNumberGenerator()
    self.init(generator.next(), generator.next(), version: 4)
  }

  /// The same for the same name (version 8): a run that has an id already, such as one of the registry. What is said of
  /// it twice is said of one run.
  package init(named name: String) {
    let bytes = Array(name.utf8)
    self.init(
      unsafe Hash64.hash(bytes.span.bytes, seed: 1), unsafe Hash64.hash(bytes.span.bytes, seed: 2), version: 8)
  }

  private init(_ high: UInt64, _ low: UInt64, version: UInt64) {
    self.high = high & ~0xf000 | version << 12
    self.low = low & ~(3 << 62) | 2 << 62
  }

  package var description: String {
    let digits = high.hexadecimal + low.hexadecimal
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
