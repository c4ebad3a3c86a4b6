internal import Columns

/// Numbers of 4 or 8 bytes one after the other.
struct PlainNumberDecoder: ValueDecoder {
  private var cursor: PageCursor
  private let type: ParquetPhysicalType
  /// 32-bit numbers without a sign: widened with zeros.
  private let isUnsigned: Bool

  init(_ cursor: PageCursor, type: ParquetPhysicalType, isUnsigned: Bool) {
    self.cursor = cursor
    self.type = type
    self.isUnsigned = isUnsigned
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    let width = type == .int32 || type == .float ? 4 : 8
    guard count <= cursor.remaining / width else { throw .valuesMissing(count, cursor.remaining) }
    let source = unsafe cursor.position
    try cursor.advance(count * width)
    switch type {
    case .int64:
      unsafe column.appendIntegers(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: 8 * count)
      }
    case .double:
      unsafe column.appendDoubles(count) {
        unsafe UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: 8 * count)
      }
    case .float:
      unsafe column.appendDoubles(count) { target in
        for index in 0..<count {
          unsafe target[index] = Double(source.loadUnaligned(fromByteOffset: 4 &* index, as: Float.self))
        }
      }
    default:
      unsafe column.appendIntegers(count) { target in
        for index in 0..<count {
          let value = unsafe source.loadUnaligned(fromByteOffset: 4 &* index, as: Int32.self)
          unsafe target[index] = isUnsigned ? Int64(UInt32(bitPattern: value)) : Int64(value)
        }
      }
    }
  }
}

/// Booleans of one bit.
struct PlainBooleanDecoder: ValueDecoder {
  private let cursor: PageCursor
  private var index = 0

  init(_ cursor: PageCursor) { self.cursor = cursor }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count <= cursor.remaining * 8 - index else { throw .valuesMissing(count, cursor.remaining) }
    let source = unsafe cursor.position
    let first = index
    unsafe column.appendIntegers(count) { target in
      for offset in 0..<count {
        let bit = first &+ offset
        unsafe target[offset] = Int64(source.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1)
      }
    }
    index += count
  }
}

/// Booleans in runs.
struct HybridBooleanDecoder: ValueDecoder {
  private var runs: HybridDecoder

  init(_ cursor: PageCursor) throws(ParquetFault) {
    var cursor = cursor
    let length = try cursor.length()
    runs = try HybridDecoder(try cursor.slice(length), bitWidth: 1)
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    var runs = runs
    try unsafe column.appendIntegers(count) { (target) throws(ParquetFault) in
      // Indexes fill the lower half of the room first, and are widened from the end.
      let narrow = unsafe UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt32.self)
      try unsafe runs.decode(count, into: narrow)
      for index in stride(from: count - 1, through: 0, by: -1) { unsafe target[index] = Int64(narrow[index]) }
    }
    self.runs = runs
  }
}

/// Strings with their length in front of each.
struct PlainTextDecoder: ValueDecoder {
  private var cursor: PageCursor

  init(_ cursor: PageCursor) { self.cursor = cursor }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count <= cursor.remaining / 4 else { throw .valuesMissing(count, cursor.remaining) }
    // How far these strings reach, so that no more room is asked for than they take.
    var scan = cursor
    var total = 0
    for _ in 0..<count {
      let length = try scan.length()
      try scan.advance(length)
      total += length
    }
    var source = unsafe cursor.position
    unsafe column.appendText(count, maximumBytes: total) { bytes, ends, start in
      var written = 0
      for index in 0..<count {
        let length = unsafe Int(UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)))
        unsafe TextCopy.copy(source + 4, to: bytes + written, count: length)
        unsafe source += 4 &+ length
        written &+= length
        unsafe ends[index] = start &+ written
      }
      return written
    }
    cursor = scan
  }
}

/// Values of a fixed number of bytes, without lengths.
struct PlainFixedDecoder: ValueDecoder {
  private var cursor: PageCursor
  private let width: Int

  init(_ cursor: PageCursor, width: Int) {
    self.cursor = cursor
    self.width = width
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard width > 0, count <= cursor.remaining / width else { throw .valuesMissing(count, cursor.remaining) }
    let source = unsafe cursor.position
    let width = width
    try cursor.advance(count * width)
    unsafe column.appendText(count, maximumBytes: count * width) { bytes, ends, start in
      unsafe UnsafeMutableRawPointer(bytes).copyMemory(from: source, byteCount: count &* width)
      for index in 0..<count { unsafe ends[index] = start &+ (index &+ 1) &* width }
      return count &* width
    }
  }
}

enum TextCopy {
  /// Copies up to 16 bytes as two words: short strings are most strings, and a call for each costs more than they do.
  ///
  /// - Precondition: both have 16 bytes more than `count`.
  @inline(__always)
  static func copy(_ source: UnsafeRawPointer, to target: UnsafeMutablePointer<UInt8>, count: Int) {
    let target = UnsafeMutableRawPointer(target)
    if count <= 16 {
      let low = unsafe source.loadUnaligned(as: UInt64.self)
      let high = unsafe source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      unsafe target.storeBytes(of: low, as: UInt64.self)
      unsafe target.storeBytes(of: high, toByteOffset: 8, as: UInt64.self)
    } else {
      unsafe target.copyMemory(from: source, byteCount: count)
    }
  }
}
