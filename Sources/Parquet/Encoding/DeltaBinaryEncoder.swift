/// Writes differences of numbers, bit-packed in blocks of 128 (Encodings.md, DELTA_BINARY_PACKED).
enum DeltaBinaryEncoder {
  private static let blockCount = 128
  private static let miniblockCount = 32

  /// - Parameter is32Bit: the column's numbers have 32 bits, and differences wrap around there.
  static func append(_ values: UnsafeBufferPointer<Int64>, is32Bit: Bool, to page: PageBuffer) {
    page.append(varint: UInt64(blockCount))
    page.append(varint: UInt64(blockCount / miniblockCount))
    page.append(varint: UInt64(values.count))
    // Unsigned numbers of 32 bits are stored as signed ones, the first as well: readers take no more than 32 bits.
    let first = unsafe values.first ?? 0
    page.append(varint: zigzag(is32Bit ? Int64(Int32(truncatingIfNeeded: first)) : first))
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockCount) { deltas in
      guard let room = deltas.baseAddress, let source = values.baseAddress else { return }
      var index = 1
      while index < values.count {
        let count = min(blockCount, values.count - index)
        unsafe appendBlock(source + index, count: count, is32Bit, deltas: room, to: page)
        index += count
      }
    }
  }

  /// - Parameter values: with one more in front.
  private static func appendBlock(
    _ values: UnsafePointer<Int64>, count: Int, _ is32Bit: Bool, deltas: UnsafeMutablePointer<UInt64>,
    to page: PageBuffer
  ) {
    var smallest = Int64.max
    for index in 0..<count {
      var delta = unsafe values[index] &- values[index &- 1]
      if is32Bit { delta = Int64(Int32(truncatingIfNeeded: delta)) }
      smallest = min(smallest, delta)
      unsafe deltas[index] = UInt64(bitPattern: delta)
    }
    let mask: UInt64 = is32Bit ? UInt64(UInt32.max) : .max
    for index in 0..<count { unsafe deltas[index] = (deltas[index] &- UInt64(bitPattern: smallest)) & mask }
    for index in count..<max(count, blockCount) { unsafe deltas[index] = 0 }
    page.append(varint: zigzag(smallest))
    let miniblocks = blockCount / miniblockCount
    let widths = page.count
    _ = unsafe page.room(miniblocks)
    page.count += miniblocks
    for miniblock in 0..<miniblocks {
      let start = unsafe deltas + miniblock * miniblockCount
      var bits: UInt64 = 0
      for index in 0..<miniblockCount { unsafe bits |= start[index] }
      // Miniblocks behind the last value have a width and no bytes.
      let width = miniblock * miniblockCount < count ? UInt64.bitWidth - bits.leadingZeroBitCount : 0
      unsafe page.base.storeBytes(of: UInt8(width), toByteOffset: widths + miniblock, as: UInt8.self)
      let room = unsafe page.room(4 * width)
      page.count += unsafe BitPacking.pack(start, count: miniblockCount, width: width, into: room)
    }
  }

  private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
}
