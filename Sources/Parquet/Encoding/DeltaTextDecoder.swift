internal import Columns

/// Lengths of all strings as deltas, then their bytes (Encodings.md, DELTA_LENGTH_BYTE_ARRAY).
struct DeltaLengthDecoder: ValueDecoder {
  private var lengths: DeltaBinaryDecoder
  private var bytes: PageCursor

  init(_ cursor: PageCursor) throws(ParquetFault) {
    lengths = try DeltaBinaryDecoder(cursor, is32Bit: true)
    bytes = try lengths.rest()
  }

  /// What is left of the bytes bounds every string.
  var remainingBytes: Int { bytes.remaining }

  /// The next string, which lies in the page.
  mutating func next() throws(ParquetFault) -> UnsafeRawBufferPointer {
    var length: Int64 = 0
    try unsafe lengths.decode(1, into: &length)
    let start = unsafe bytes.position
    try bytes.advance(Int(length))
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(length))
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count <= lengths.count else { throw .valuesMissing(count, bytes.remaining) }
    var copy = self
    try unsafe column.appendText(count, maximumBytes: bytes.remaining) { (target, ends, start) throws(ParquetFault) in
      // Lengths are decoded into the room of the ends.
      let room = unsafe UnsafeMutableRawPointer(ends).assumingMemoryBound(to: Int64.self)
      try unsafe copy.lengths.decode(count, into: room)
      let begin = unsafe copy.bytes.position
      var written = 0
      for index in 0..<count {
        let length = unsafe Int(room[index])
        try copy.bytes.advance(length)
        written += length
        unsafe ends[index] = start + written
      }
      unsafe UnsafeMutableRawPointer(target).copyMemory(from: begin, byteCount: written)
      return written
    }
    self = copy
  }
}

/// How much of the string before is shared, and what follows it (Encodings.md, DELTA_BYTE_ARRAY).
struct DeltaTextDecoder: ValueDecoder {
  private var prefixes: DeltaBinaryDecoder
  private var suffixes: DeltaLengthDecoder
  private var previous: [UInt8] = []
  let largestValueBytes: Int

  init(_ cursor: PageCursor) throws(ParquetFault) {
    prefixes = try DeltaBinaryDecoder(cursor, is32Bit: true)
    suffixes = try DeltaLengthDecoder(try prefixes.rest())
    // A string is made of pieces of suffixes, none of which is used twice in it.
    largestValueBytes = suffixes.remainingBytes
  }

  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count <= prefixes.count else { throw .valuesMissing(count, suffixes.remainingBytes) }
    for _ in 0..<count {
      var shared: Int64 = 0
      try unsafe prefixes.decode(1, into: &shared)
      guard shared >= 0, shared <= Int64(previous.count) else {
        throw .corrupt("a prefix of \(shared) bytes of a string of \(previous.count)")
      }
      let suffix = unsafe try suffixes.next()
      previous.removeLast(previous.count - Int(shared))
      unsafe previous.append(contentsOf: suffix)
      unsafe column.append(previous.span.bytes)
    }
  }
}
