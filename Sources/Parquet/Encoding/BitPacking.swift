/// Packs numbers of a fixed number of bits, the least significant first.
enum BitPacking {
  /// - Parameters:
  ///   - values: below 2 to the power of `width`.
  ///   - target: the numbers' bytes and 8 more.
  /// - Returns: how many bytes they take, the last one filled with zeros.
  @inline(__always)
  static func pack<Number: FixedWidthInteger>(
    _ values: UnsafePointer<Number>, count: Int, width: Int, into target: UnsafeMutableRawPointer
  ) -> Int {
    guard width > 0 else { return 0 }
    var word: UInt64 = 0
    var filled = 0
    var offset = 0
    for index in 0..<count {
      let value = unsafe UInt64(truncatingIfNeeded: values[index])
      word |= value << UInt64(filled)
      let total = filled &+ width
      if total >= 64 {
        unsafe target.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
        offset &+= 8
        word = filled == 0 ? 0 : value >> UInt64(64 &- filled)
        filled = total &- 64
      } else {
        filled = total
      }
    }
    unsafe target.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    return offset &+ (filled &+ 7) / 8
  }
}
