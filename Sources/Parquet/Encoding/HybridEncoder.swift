/// Writes numbers as runs of equal ones and bit-packed groups of eight (Encodings.md, RLE).
enum HybridEncoder {
  private static let groupCount = 8

  static func append(_ values: UnsafePointer<UInt32>, count: Int, bitWidth: Int, to page: PageBuffer) {
    var index = 0
    var packedStart = 0
    while index < count {
      let run = unsafe runLength(values + index, limit: count - index)
      if run >= groupCount {
        unsafe appendPacked(values + packedStart, count: index - packedStart, bitWidth: bitWidth, to: page)
        unsafe appendRun(values[index], count: run, bitWidth: bitWidth, to: page)
        index += run
        packedStart = index
      } else {
        index = min(index + groupCount, count)
      }
    }
    unsafe appendPacked(values + packedStart, count: count - packedStart, bitWidth: bitWidth, to: page)
  }

  /// One run of equal numbers.
  static func appendRun(_ value: UInt32, count: Int, bitWidth: Int, to page: PageBuffer) {
    guard count > 0 else { return }
    page.append(varint: UInt64(count) << 1)
    let bytes = (bitWidth + 7) / 8
    let room = unsafe page.room(4)
    unsafe room.storeBytes(of: value.littleEndian, as: UInt32.self)
    page.count += bytes
  }

  private static func runLength(_ values: UnsafePointer<UInt32>, limit: Int) -> Int {
    var length = 1
    while length < limit, unsafe values[length] == values[0] { length &+= 1 }
    return length
  }

  /// - Precondition: `count` is a multiple of eight, but at the end of the data.
  private static func appendPacked(_ values: UnsafePointer<UInt32>, count: Int, bitWidth: Int, to page: PageBuffer) {
    guard count > 0 else { return }
    let groups = (count + groupCount - 1) / groupCount
    page.append(varint: UInt64(groups) << 1 | 1)
    let bytes = groups * bitWidth
    let room = unsafe page.room(bytes)
    let written = unsafe BitPacking.pack(values, count: count, width: bitWidth, into: room)
    if written < bytes {
      unsafe (room + written).initializeMemory(as: UInt8.self, repeating: 0, count: bytes - written)
    }
    page.count += bytes
  }
}
