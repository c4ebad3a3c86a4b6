internal import Codecs

/// A small file that is either whole or does not count: snapshots, indexes, checkpoints.
///
///     magic:uint32 version:uint16 reserved:uint16 payloadBytes:uint32 crc32c:uint32 payload
///
/// All numbers are big-endian; the checksum covers the payload. A reader that finds anything else treats the file as
/// missing.
enum CheckedFile {
  enum Kind: UInt32 {
    case segmentIndex = 0x4852_4958  // HRIX
    case producerSnapshot = 0x4852_5053  // HRPS
    case recoveryPoint = 0x4852_5250  // HRRP
    case cleanShutdown = 0x4852_4353  // HRCS
    case cleanerCheckpoint = 0x4852_434c  // HRCL
    case compactionManifest = 0x4852_434d  // HRCM

    var version: UInt16 { 1 }
  }

  static let frameBytes = 16
  static let temporarySuffix = ".tmp"

  /// Replaces the file at `path` in one step.
  /// - Parameter durable: whether content and name are on the disk when this returns. A file that may be lost but not
  ///   torn does without.
  static func replace(_ path: String, kind: Kind, payload: [UInt8], durable: Bool) throws(StorageFailure) {
    try replace(path, content: frame(kind, payload), durable: durable)
  }

  static func replace(
    _ path: String, content: [UInt8], durable: Bool, killPoint: KillPoint? = nil
  ) throws(StorageFailure) {
    let temporary = path + temporarySuffix
    let file = try LogFile(temporary, .create)
    try file.write(unsafe content.span.bytes, at: 0)
    if durable { try file.synchronize() }
    if let killPoint { KillPoint.pass(killPoint) }
    try LogFolder.rename(temporary, to: path)
    if durable, let slash = path.lastIndex(of: "/") { try LogFolder.synchronize(String(path[..<slash])) }
  }

  static func frame(_ kind: Kind, _ payload: [UInt8]) -> [UInt8] {
    var encoder = BigEndianEncoder()
    encoder.append(kind.rawValue)
    encoder.append(kind.version)
    encoder.append(UInt16(0))
    encoder.append(UInt32(payload.count))
    encoder.append(unsafe payload.span.bytes.crc32c())
    return encoder.bytes + payload
  }

  /// The payload of the file; nil when it is missing, torn, or of another kind or version.
  static func payload(_ path: String, kind: Kind) -> [UInt8]? {
    guard let file = try? LogFile(path, .read) else { return nil }
    return payload(in: file, at: 0, kind: kind)
  }

  /// The payload of a frame that starts at a position of a file.
  static func payload(in file: LogFile, at position: Int, kind: Kind) -> [UInt8]? {
    guard let frame = bytes(of: file, at: position, count: frameBytes) else { return nil }
    var decoder = BigEndianDecoder(frame)
    guard decoder.next(UInt32.self) == kind.rawValue, decoder.next(UInt16.self) == kind.version,
      decoder.next(UInt16.self) == 0, let count = decoder.next(UInt32.self), let checksum = decoder.next(UInt32.self),
      let size = try? file.size(), size - position - frameBytes >= Int(count),
      let payload = bytes(of: file, at: position + frameBytes, count: Int(count)),
      unsafe payload.span.bytes.crc32c() == checksum
    else { return nil }
    return payload
  }

  private static func bytes(of file: LogFile, at position: Int, count: Int) -> [UInt8]? {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe initialized = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: position)) ?? 0
    }
    return bytes.count == count ? bytes : nil
  }
}

/// Writes numbers for `CheckedFile`.
struct BigEndianEncoder {
  private(set) var bytes: [UInt8] = []

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    var shift = Value.bitWidth
    while shift > 0 {
      shift -= 8
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}

/// Reads them back; every read is checked.
struct BigEndianDecoder {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func next<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
    let count = Value.bitWidth / 8
    guard remaining >= count else { return nil }
    var value: Value = 0
    for byte in bytes[position..<(position + count)] { value = (value << 8) | Value(truncatingIfNeeded: byte) }
    position += count
    return value
  }
}
