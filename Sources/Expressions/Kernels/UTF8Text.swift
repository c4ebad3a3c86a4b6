/// Walks over UTF-8. Bytes that are none count as characters of their own, so that no walk can leave the text.
enum UTF8Text {
  static func isValid(_ bytes: Text.Bytes) -> Bool {
    unsafe String(validating: bytes, as: UTF8.self) != nil
  }

  static func isAscii(_ bytes: Text.Bytes) -> Bool {
    var all: UInt8 = 0
    for index in bytes.indices { unsafe all |= bytes[index] }
    return all < 0x80
  }

  static func scalarCount(_ bytes: Text.Bytes) -> Int {
    var count = 0
    for index in bytes.indices { unsafe count += bytes[index] & 0xc0 != 0x80 ? 1 : 0 }
    return count
  }

  /// Bytes of the scalar at `index`, which is inside of the text.
  @inline(__always)
  static func scalarLength(_ bytes: Text.Bytes, at index: Int) -> Int {
    var end = index + 1
    while unsafe end < bytes.count && bytes[end] & 0xc0 == 0x80 { end += 1 }
    return end - index
  }

  /// The scalar of `length` bytes at `index`; nil where the bytes are not UTF-8.
  static func scalar(_ bytes: Text.Bytes, at index: Int, length: Int) -> Unicode.Scalar? {
    let first = unsafe UInt32(bytes[index])
    var value: UInt32
    switch (length, first) {
    case (1, 0..<0x80): return Unicode.Scalar(first)
    case (2, 0xc2..<0xe0): value = first & 0x1f
    case (3, 0xe0..<0xf0): value = first & 0x0f
    case (4, 0xf0..<0xf5): value = first & 0x07
    default: return nil
    }
    for following in index + 1..<index + length { value = unsafe value << 6 | UInt32(bytes[following] & 0x3f) }
    return Unicode.Scalar(value)
  }

  /// Where the scalar number `count` after `index` begins; the end of the text when there are fewer.
  static func advance(_ bytes: Text.Bytes, from index: Int, by count: Int64) -> Int {
    var position = index
    var rest = count
    while rest > 0, position < bytes.count {
      unsafe position += scalarLength(bytes, at: position)
      rest -= 1
    }
    return position
  }

  /// Where `part` first is in `text` from `index` on.
  static func find(_ part: Text.Bytes, in text: Text.Bytes, from index: Int) -> Int? {
    guard let first = unsafe part.first else { return index }
    var position = index
    while position + part.count <= text.count {
      if unsafe text[position] == first,
        unsafe Text.order(Text.Bytes(rebasing: text[position..<position + part.count]), part) == 0
      {
        return position
      }
      position += 1
    }
    return nil
  }
}
