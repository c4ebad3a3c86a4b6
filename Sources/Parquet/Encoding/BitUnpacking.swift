/// Unpacks numbers of a fixed number of bits, the least significant first, 32 at a time.
///
/// Each width has a loop of its own, which the compiler unrolls with constant shifts.
enum BitUnpacking {
  /// - Parameter source: 4 bytes for each bit of `width`, and 8 readable bytes behind them.
  @inline(__always)
  private static func unpack(_ width: Int, _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<UInt32>) {
    let mask = width == 32 ? UInt64(UInt32.max) : (1 << UInt64(width)) &- 1
    for index in 0..<32 {
      let bit = index &* width
      let word = unsafe UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
      unsafe target[index] = UInt32(truncatingIfNeeded: (word >> UInt64(bit & 7)) & mask)
    }
  }

  /// 32 numbers of `width` bits.
  ///
  /// - Precondition: `width` is from 0 to 32, and 8 bytes behind the numbers are readable.
  static func unpack32(width: Int, from source: UnsafeRawPointer, into target: UnsafeMutablePointer<UInt32>) {
    switch width {
    case 0: unsafe target.update(repeating: 0, count: 32)
    case 1: unsafe unpack(1, source, target)
    case 2: unsafe unpack(2, source, target)
    case 3: unsafe unpack(3, source, target)
    case 4: unsafe unpack(4, source, target)
    case 5: unsafe unpack(5, source, target)
    case 6: unsafe unpack(6, source, target)
    case 7: unsafe unpack(7, source, target)
    case 8: unsafe unpack(8, source, target)
    case 9: unsafe unpack(9, source, target)
    case 10: unsafe unpack(10, source, target)
    case 11: unsafe unpack(11, source, target)
    case 12: unsafe unpack(12, source, target)
    case 13: unsafe unpack(13, source, target)
    case 14: unsafe unpack(14, source, target)
    case 15: unsafe unpack(15, source, target)
    case 16: unsafe unpack(16, source, target)
    case 17: unsafe unpack(17, source, target)
    case 18: unsafe unpack(18, source, target)
    case 19: unsafe unpack(19, source, target)
    case 20: unsafe unpack(20, source, target)
    case 21: unsafe unpack(21, source, target)
    case 22: unsafe unpack(22, source, target)
    case 23: unsafe unpack(23, source, target)
    case 24: unsafe unpack(24, source, target)
    case 25: unsafe unpack(25, source, target)
    case 26: unsafe unpack(26, source, target)
    case 27: unsafe unpack(27, source, target)
    case 28: unsafe unpack(28, source, target)
    case 29: unsafe unpack(29, source, target)
    case 30: unsafe unpack(30, source, target)
    case 31: unsafe unpack(31, source, target)
    default: unsafe unpack(32, source, target)
    }
  }

  /// One number of up to 32 bits that begins `bit` bits behind `source`.
  @inline(__always)
  static func number(width: Int, atBit bit: Int, of source: UnsafeRawPointer) -> UInt32 {
    let word = unsafe UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
    return UInt32(truncatingIfNeeded: (word >> UInt64(bit & 7)) & ((1 << UInt64(width)) &- 1))
  }

  /// One number of up to 64 bits; it may span nine bytes.
  @inline(__always)
  static func wideNumber(width: Int, atBit bit: Int, of source: UnsafeRawPointer) -> UInt64 {
    guard width > 0 else { return 0 }
    let shift = UInt64(bit & 7)
    var word = unsafe UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)) >> shift
    if shift > 0 {
      let next = unsafe source.load(fromByteOffset: (bit >> 3) &+ 8, as: UInt8.self)
      word |= UInt64(next) << (64 &- shift)
    }
    return word & (UInt64.max >> UInt64(64 &- width))
  }
}
