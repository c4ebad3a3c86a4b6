internal import Core

/// Names a definition by what it means: equal in every process and on every machine, whatever the layout of the YAML.
package struct Fingerprint: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let value: UInt64

  package init(value: UInt64) { self.value = value }

  /// Sixteen hexadecimal digits.
  package init?(text: String) {
    guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
    self.value = value
  }

  package var description: String { value.hexadecimal }

  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// Hashes a list of texts and numbers. Every part carries its length, so that ("ab", "c") is not ("a", "bc").
struct FingerprintBuilder {
  /// FNV-1a, 64 bit: fixed for ever, because the values are stored.
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// - Parameter kind: what is described, so that equal parts of different things differ.
  init(_ kind: String) { add(kind) }

  mutating func add(_ text: String) {
    add(Int64(text.utf8.count))
    for byte in text.utf8 { mix(byte) }
  }

  mutating func add(_ number: Int64) {
    for shift in stride(from: 0, to: 64, by: 8) { mix(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
  }

  mutating func add(_ text: String?) {
    add(Int64(text == nil ? 0 : 1))
    if let text { add(text) }
  }

  mutating func add(_ number: Int64?) {
    add(Int64(number == nil ? 0 : 1))
    if let number { add(number) }
  }

  mutating func add(_ texts: [String]) {
    add(Int64(texts.count))
    for text in texts { add(text) }
  }

  mutating func add(_ fingerprint: Fingerprint) { add(Int64(bitPattern: fingerprint.value)) }

  private mutating func mix(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

  /// With MurmurHash3's finaliser: FNV's high bits depend little on the last bytes.
  var fingerprint: Fingerprint {
    var value = state
    value = (value ^ (value >> 33)) &* 0xff51_afd7_ed55_8ccd
    value = (value ^ (value >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return Fingerprint(value: value ^ (value >> 33))
  }
}
