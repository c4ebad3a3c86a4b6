internal import Codecs
internal import Columns
internal import Core
internal import Glibc

/// Reads the rows of one table in a segment, block by block, in the order in which they were written.
@safe
struct SpoolSegmentReader: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private let sizeBytes: Int64
  private var offset: Int64 = 0
  private var buffer: [UInt8] = []
  private let decompressor = Decompressor()
  /// The tables whose blocks follow, in the order in which blocks count them.
  private(set) var header = SpoolHeader([])

  /// - Throws: SPOOL_CORRUPT when the file is not what a checkpoint says.
  init(path: String, sizeBytes: Int64) throws(HeadraceError) {
    self.path = path
    self.sizeBytes = sizeBytes
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.corrupt(path, "it cannot be opened (errno \(errno))") }
    guard try read(SpoolFrame.magic.count), buffer == SpoolFrame.magic else {
      throw Self.corrupt(path, "it does not begin as a segment does")
    }
    try readFrame()
    header = unsafe try SpoolHeader(decoding: buffer.span.bytes, place: path)
  }

  deinit { close(descriptor) }

  /// The next block of a table.
  ///
  /// - Parameter batch: with the table's columns as the header has them.
  /// - Returns: false behind the last one.
  mutating func next(table: Int, into batch: inout ColumnBatch) throws(HeadraceError) -> Bool {
    while offset < sizeBytes {
      let place = "\(path) byte \(offset)"
      try readFrame()
      var reader = unsafe ByteReader(buffer.span.bytes, place: place)
      guard Int(try reader.number(UInt16.self)) == table else { continue }
      try read(compressed: reader.offset, place, into: &batch)
      return true
    }
    return false
  }

  /// Fills the buffer with what the next frame holds.
  private mutating func readFrame() throws(HeadraceError) {
    let place = "\(path) byte \(offset)"
    guard try read(SpoolFrame.headerBytes) else { throw Self.corrupt(path, "it ends at byte \(offset)") }
    var header = unsafe ByteReader(buffer.span.bytes, place: place)
    let (count, checksum) = (Int(try header.number(UInt32.self)), try header.number(UInt32.self))
    guard count <= SpoolFrame.blockBytesMax, Int64(count) <= sizeBytes - offset, try read(count) else {
      throw Self.corrupt(place, "a block of \(count) bytes")
    }
    guard unsafe buffer.withUnsafeBytes({ unsafe CRC32C.checksum($0) }) == checksum else {
      throw Self.corrupt(place, "its checksum is another one")
    }
  }

  private func read(compressed start: Int, _ place: String, into batch: inout ColumnBatch) throws(HeadraceError) {
    let rows: [UInt8]
    do throws(CodecError) {
      rows = try unsafe buffer.span.bytes.withUnsafeBytes { (bytes) throws(CodecError) -> [UInt8] in
        let input = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
        let limit = DecompressionLimit(maximumBytes: SpoolFrame.blockBytesMax)
        return try unsafe [UInt8](decompressor.decompress(input, codec: .lz4, limit: limit))
      }
    } catch {
      throw Self.corrupt(place, error.description)
    }
    unsafe try SpoolBlock.read(rows.span.bytes, place: place, into: &batch)
  }

  /// Fills the buffer with the next bytes.
  ///
  /// - Returns: false when there are fewer.
  private mutating func read(_ count: Int) throws(HeadraceError) -> Bool {
    guard Int64(count) <= sizeBytes - offset else { return false }
    if buffer.count > count { buffer.removeLast(buffer.count - count) }
    if buffer.count < count { buffer += repeatElement(0, count: count - buffer.count) }
    var filled = 0
    while filled < count {
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        guard let start = bytes.baseAddress else { return 0 }
        return unsafe pread(descriptor, start + filled, count - filled, Int(offset) + filled)
      }
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { return false }
      filled += result
    }
    offset += Int64(count)
    return true
  }

  private static func corrupt(_ place: String, _ what: String) -> HeadraceError {
    HeadraceError(
      .external, "SPOOL_CORRUPT", "the spool is not what was written: \(what)", place: place,
      remedy: "move the task's state away: it is rebuilt from the log, and tables go on where they are")
  }
}
