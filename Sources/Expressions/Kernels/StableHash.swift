/// The hash of the language. It never changes: bucket numbers are stored in features and compared across years.
///
/// Bytes: FNV-1a, 64 bits; then the finaliser of SplitMix64, as for the 64 bits of everything else. Several values: the
/// hash so far, rotated by 29, exclusive or the next one, finalised.
enum StableHash {
  @inline(__always)
  static func bits(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  static func bytes(_ bytes: Text.Bytes) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in bytes.indices { hash = unsafe (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
    return bits(hash)
  }

  /// Equal doubles have equal hashes: one zero, one NaN.
  @inline(__always)
  static func double(_ value: Double) -> UInt64 {
    bits(value.isNaN ? 0x7ff8_0000_0000_0000 : value == 0 ? 0 : value.bitPattern)
  }

  static func decimal(_ value: Int128) -> UInt64 {
    combine(bits(UInt64(truncatingIfNeeded: value >> 64)), bits(UInt64(truncatingIfNeeded: value)))
  }

  @inline(__always)
  static func combine(_ hash: UInt64, _ next: UInt64) -> UInt64 { bits((hash << 29 | hash >> 35) ^ next) }
}
