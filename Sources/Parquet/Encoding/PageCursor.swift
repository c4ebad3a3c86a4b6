/// A bounded walk over the bytes of a page. The page's memory outlives it, with `PageBuffer.slackBytes` behind its end.
@safe struct PageCursor {
  private(set) var position: UnsafeRawPointer
  let end: UnsafeRawPointer

  init(_ position: UnsafeRawPointer, end: UnsafeRawPointer) {
    unsafe self.position = position
    unsafe self.end = end
  }

  var remaining: Int { unsafe end - position }

  mutating func advance(_ count: Int) throws(ParquetFault) {
    guard count >= 0, count <= remaining else {
      throw .corrupt("\(count) bytes where \(remaining) are left of the page")
    }
    unsafe position += count
  }

  /// The next `count` bytes, as a cursor of their own.
  mutating func slice(_ count: Int) throws(ParquetFault) -> PageCursor {
    let start = unsafe position
    try advance(count)
    return unsafe PageCursor(start, end: position)
  }

  mutating func byte() throws(ParquetFault) -> UInt8 {
    let start = unsafe position
    try advance(1)
    return unsafe start.load(as: UInt8.self)
  }

  mutating func length() throws(ParquetFault) -> Int {
    let start = unsafe position
    try advance(4)
    return unsafe Int(UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
  }

  mutating func varint() throws(ParquetFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw .corrupt("a number of more than 64 bits") }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
      shift &+= 7
    }
  }

  mutating func zigzag() throws(ParquetFault) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}
