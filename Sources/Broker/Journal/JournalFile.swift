internal import Codecs
internal import Core
internal import Glibc

/// The journal's file: a magic, then frames of `length · CRC32C of the payload · CRC32C of these eight bytes ·
/// payload`, numbers in 32 bits, little-endian.
///
/// A frame counts once all of it is in the file: a kill -9 in the middle of a write leaves a short last frame, and a
/// power failure may leave zeros or a last frame that was not filled; the next open cuts those off. Anything else that
/// is wrong is damage, and damage is refused, never skipped: the length has a checksum of its own so that the two can
/// be told apart.
struct JournalFile: ~Copyable {
  private static let magic = Array("HRJRNL01".utf8)
  private static let frameHeaderBytes = 12

  let path: String
  private(set) var sizeBytes: Int64
  private var descriptor: Int32

  deinit { close(descriptor) }

  /// Opens or creates the journal and hands over each payload in order.
  static func open(
    path: String, replay: (ArraySlice<UInt8>) throws(HeadraceError) -> Void
  ) throws(HeadraceError) -> JournalFile {
    let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw storageError("open", path) }
    var file = JournalFile(path: path, sizeBytes: 0, descriptor: descriptor)
    let content = try file.readAll()
    guard content.count >= magic.count else {
      // A new file, or one whose very first write was cut short.
      try file.truncate(to: 0)
      try file.write(magic)
      return file
    }
    guard content.starts(with: magic) else {
      throw HeadraceError(
        .user, "NOT_A_JOURNAL", "the file does not begin as a journal of this broker", place: path,
        remedy: "point --data at a folder that the broker made, or at an empty one")
    }
    let end = try walk(content, path: path, replay)
    if end < content.count { try file.truncate(to: Int64(end)) }
    file.sizeBytes = Int64(end)
    return file
  }

  /// Writes one frame. After an error nothing of it is in the file.
  mutating func append(_ payload: [UInt8]) throws(HeadraceError) {
    let frame = Self.frame(payload)
    if KillPoint.isDue(.journalTornAppend) {
      try? write(Array(frame.prefix(frame.count / 2)))
      KillPoint.die()
    }
    let before = sizeBytes
    do throws(HeadraceError) {
      try write(frame)
    } catch {
      sizeBytes = before
      try truncate(to: before)
      throw error
    }
  }

  /// Puts a new file with exactly these payloads in the place of this one; a kill at any moment leaves the old or the
  /// new.
  mutating func replace(with payloads: [[UInt8]]) throws(HeadraceError) {
    let temporary = path + ".tmp"
    let fresh = unsafe Glibc.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard fresh >= 0 else { throw Self.storageError("create", temporary) }
    var file = JournalFile(path: temporary, sizeBytes: 0, descriptor: fresh)
    var content = Self.magic
    for payload in payloads { content += Self.frame(payload) }
    try file.write(content)
    try file.synchronize()
    KillPoint.pass(.journalDuringSnapshot)
    guard unsafe rename(temporary, path) == 0 else { throw Self.storageError("rename", temporary) }
    swap(&descriptor, &file.descriptor)
    sizeBytes = file.sizeBytes
    try Self.synchronizeFolder(of: path)
  }

  /// A second descriptor on the same file, for a background fsync. The receiver closes it.
  func duplicate() -> Int32 { dup(descriptor) }

  mutating func synchronize() throws(HeadraceError) {
    guard fdatasync(descriptor) == 0 else { throw Self.storageError("fdatasync", path) }
  }

  private static func frame(_ payload: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = []
    frame.reserveCapacity(payload.count + frameHeaderBytes)
    let checksum = unsafe payload.withUnsafeBytes { unsafe CRC32C.checksum($0) }
    appendWord(UInt32(truncatingIfNeeded: payload.count), to: &frame)
    appendWord(checksum, to: &frame)
    appendWord(unsafe frame.withUnsafeBytes { unsafe CRC32C.checksum($0) }, to: &frame)
    return frame + payload
  }

  private static func appendWord(_ word: UInt32, to bytes: inout [UInt8]) {
    for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  /// - Returns: where the last whole frame ends.
  private static func walk(
    _ content: [UInt8], path: String, _ replay: (ArraySlice<UInt8>) throws(HeadraceError) -> Void
  ) throws(HeadraceError) -> Int {
    var offset = magic.count
    while content.count - offset >= frameHeaderBytes {
      let header = unsafe content[offset..<offset + 8].withUnsafeBytes { unsafe CRC32C.checksum($0) }
      guard header == word(content, at: offset + 8) else {
        guard content[offset...].allSatisfy({ $0 == 0 }) else {
          throw damaged(path, offset, "a frame's header that is wrong")
        }
        return offset
      }
      let length = Int(word(content, at: offset))
      let start = offset + frameHeaderBytes
      guard content.count - start >= length else { return offset }
      let payload = content[start..<start + length]
      let checksum = unsafe payload.withUnsafeBytes { unsafe CRC32C.checksum($0) }
      guard checksum == word(content, at: offset + 4) else {
        // Only the very last frame can be torn: the file may have grown before its pages were filled.
        guard start + length < content.count else { return offset }
        throw damaged(path, offset, "a checksum that does not match")
      }
      do throws(HeadraceError) { try replay(payload) } catch { throw error.at("\(path) at byte \(offset)") }
      offset = start + length
    }
    return offset
  }

  private static func word(_ content: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(UInt32(0)) { $0 | UInt32(content[offset + $1]) << UInt32(8 * $1) }
  }

  private static func damaged(_ path: String, _ offset: Int, _ found: String) -> HeadraceError {
    HeadraceError(
      .external, "JOURNAL_DAMAGED",
      "found \(found), expected an intact record: the file was changed or the disk lost data",
      place: "\(path) at byte \(offset)",
      remedy: "restore the folder from a copy, or start with an empty folder; nothing was changed")
  }

  private mutating func readAll() throws(HeadraceError) -> [UInt8] {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw Self.storageError("stat", path) }
    var content = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < content.count {
      let count = unsafe content.withUnsafeMutableBytes {
        unsafe pread(descriptor, $0.baseAddress.map { unsafe $0 + filled }, $0.count - filled, off_t(filled))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.storageError("read", path) }
      filled += count
    }
    sizeBytes = Int64(content.count)
    return content
  }

  private mutating func write(_ bytes: [UInt8]) throws(HeadraceError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe pwrite(descriptor, $0.baseAddress.map { unsafe $0 + written }, $0.count - written, off_t(sizeBytes))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.storageError("write", path) }
      written += count
      sizeBytes += Int64(count)
    }
  }

  private mutating func truncate(to size: Int64) throws(HeadraceError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw Self.storageError("truncate", path) }
    sizeBytes = size
  }

  private static func synchronizeFolder(of path: String) throws(HeadraceError) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw storageError("open", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw storageError("fsync", folder) }
  }

  static func storageError(_ operation: String, _ path: String) -> HeadraceError {
    let code = errno
    let text = unsafe String(cString: strerror(code))
    return HeadraceError(
      .external, "STORAGE", "\(operation) failed: \(text)", retry: code == ENOSPC ? .sameCall : .never, place: path,
      remedy: code == ENOSPC ? "free disk space" : nil)
  }
}
