package import Core
internal import Glibc

/// One JSON document a line (JSON Lines): nothing is copied but the last, incomplete line.
package struct LineFraming: DocumentFraming {
  private var nextLine = 1
  private var isAtStart = true
  private let lineBytesMax: Int

  /// - Parameter lineBytesMax: a longer line ends the reading: it is no file of lines.
  package init(lineBytesMax: Int = 16 << 20) { self.lineBytesMax = lineBytesMax }

  package mutating func frame(
    _ input: inout [UInt8], isFinal: Bool, into batch: inout DocumentBatch
  ) throws(HeadraceError) {
    batch.reset()
    if isAtStart { dropByteOrderMark(&input, isFinal: isFinal) }
    swap(&input, &batch.bytes)
    unsafe batch.bytes.withUnsafeBytes { bytes in
      var start = 0
      while let lineFeed = unsafe Self.lineFeed(in: bytes, from: start) {
        start = lineFeed + 1
        batch.ends.append(UInt32(start))
      }
      if isFinal && start < bytes.count { batch.ends.append(UInt32(bytes.count)) }
    }
    for _ in batch.ends {
      batch.lines.append(nextLine)
      nextLine += 1
    }
    let framed = Int(batch.ends.last ?? 0)
    input += batch.bytes[framed...]
    batch.bytes.removeLast(batch.bytes.count - framed)
    guard input.count <= lineBytesMax else { throw .lineTooLong(line: nextLine, lineBytesMax: lineBytesMax) }
  }

  private mutating func dropByteOrderMark(_ input: inout [UInt8], isFinal: Bool) {
    guard input.count >= 3 || isFinal else { return }
    isAtStart = false
    if input.starts(with: [0xef, 0xbb, 0xbf]) { input.removeFirst(3) }
  }

  private static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = bytes.baseAddress, start < bytes.count else { return nil }
    guard let found = unsafe memchr(base + start, 0x0a, bytes.count - start) else { return nil }
    return unsafe UnsafeRawPointer(found) - base
  }
}

extension HeadraceError {
  static func lineTooLong(line: Int, lineBytesMax: Int) -> Self {
    HeadraceError(
      .user, "LINE_TOO_LONG", "the line is longer than \(lineBytesMax >> 20) MiB", place: "line \(line)",
      remedy: "write one event a line; a line this long is usually one array of all events")
  }
}
