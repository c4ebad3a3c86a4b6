/// A fast hash of byte strings: tables in memory, digests, deduplication. Not for secrets.
///
/// The construction of wyhash (Wang Yi, 2019): 16 bytes are mixed by one 64 x 64 -> 128 bit multiplication whose halves
/// are folded. The factors are folded in as well, so that a factor of zero, which a hostile key can bring about, does
/// not wipe out the other one. Values are written to disk (deduplication, digests): the function is frozen, and its
/// test holds it to recorded figures.
package enum Hash64 {
  // wyhash's: odd, 32 bits set in each, and 32 different between any two.
  private static let first: UInt64 = 0xa076_1d64_78bd_642f
  private static let second: UInt64 = 0xe703_7ed1_a0b4_28db
  private static let third: UInt64 = 0x8ebc_6af0_9c88_c6e3

  @inline(__always)
  package static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe hash($0, seed: seed) }
  }

  package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    let count = bytes.count
    var state = seed ^ fold(seed ^ first, second)
    if count <= 16 {
      let (low, high) = unsafe short(bytes)
      return fold(second ^ UInt64(truncatingIfNeeded: count), fold(low ^ second, high ^ state))
    }
    var offset = 0
    if count > 48 {
      var stateB = state
      var stateC = state
      while count - offset > 48 {
        state = unsafe fold(word(bytes, offset) ^ first, word(bytes, offset + 8) ^ state)
        stateB = unsafe fold(word(bytes, offset + 16) ^ second, word(bytes, offset + 24) ^ stateB)
        stateC = unsafe fold(word(bytes, offset + 32) ^ third, word(bytes, offset + 40) ^ stateC)
        offset += 48
      }
      state ^= stateB ^ stateC
    }
    while count - offset > 16 {
      state = unsafe fold(word(bytes, offset) ^ second, word(bytes, offset + 8) ^ state)
      offset += 16
    }
    // The last 16 bytes, which may overlap those before.
    let low = unsafe word(bytes, count - 16)
    let high = unsafe word(bytes, count - 8)
    return fold(second ^ UInt64(truncatingIfNeeded: count), fold(low ^ second, high ^ state))
  }

  /// Both halves of the product and both factors, folded into one word.
  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low ^ left ^ right
  }

  /// Every byte of at most 16, in two words.
  @inline(__always)
  private static func short(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
    let count = bytes.count
    if count >= 8 { return unsafe (word(bytes, 0), word(bytes, count - 8)) }
    if count >= 4 { return unsafe (half(bytes, 0), half(bytes, count - 4)) }
    guard count > 0 else { return (0, 0) }
    let packed = unsafe UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1])
    return (packed, 0)
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  @inline(__always)
  private static func half(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    unsafe UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }
}

/// 128 bits of a byte string: two hashes with independent seeds, for identity where the string itself is not kept.
///
/// Among a thousand million strings two of the same hash are expected with a probability below 10^-20.
package struct Hash128: Hashable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(_ bytes: UnsafeRawBufferPointer) {
    unsafe high = Hash64.hash(bytes, seed: 0x9e37_79b9_7f4a_7c15)
    unsafe low = Hash64.hash(bytes, seed: 0xd1b5_4a32_d192_ed03)
  }

  package init(_ bytes: RawSpan) {
    self = unsafe bytes.withUnsafeBytes { unsafe Hash128($0) }
  }
}
