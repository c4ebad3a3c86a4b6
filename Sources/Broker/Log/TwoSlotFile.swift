/// One number in a file that is changed in place, so that it can be changed on a full disk too: that is when records
/// are deleted.
///
/// Two slots take turns. A write that is cut short spoils one of them, and the other still has the number before.
///
///     slot := sequence:int64 number:int64 crc32c:uint32    at byte 0 and at byte 512
struct TwoSlotFile {
  private static let slotPositions = [0, 512]
  private static let slotBytes = 20

  let path: String

  /// The number last stored; nil when there is none.
  func load() -> Int64? { newest()?.number }

  /// Takes the room on the disk while there is some.
  func reserve() throws(StorageFailure) {
    guard !LogFolder.exists(path) else { return }
    let file = try LogFile(path, .create)
    try file.write(unsafe [UInt8](repeating: 0, count: 512 + Self.slotBytes).span.bytes, at: 0)
  }

  /// Durable when it returns.
  func store(_ number: Int64) throws(StorageFailure) {
    let sequence = (newest()?.sequence ?? 0) &+ 1
    var slot = BigEndianEncoder()
    slot.append(sequence)
    slot.append(number)
    slot.append(unsafe slot.bytes.span.bytes.crc32c())
    let file = try LogFile(path, .readWrite)
    try file.write(unsafe slot.bytes.span.bytes, at: Self.slotPositions[Int(sequence & 1)])
    try file.synchronize()
  }

  private func newest() -> (sequence: Int64, number: Int64)? {
    guard let file = try? LogFile(path, .read) else { return nil }
    var newest: (sequence: Int64, number: Int64)?
    for position in Self.slotPositions {
      var bytes = [UInt8](repeating: 0, count: Self.slotBytes)
      var elements = bytes.mutableSpan
      var span = unsafe elements.mutableBytes
      guard (try? file.read(Self.slotBytes, into: &span, at: position)) == Self.slotBytes else { continue }
      let checksum = unsafe bytes.span.bytes.extracting(first: 16).crc32c()
      var decoder = BigEndianDecoder(bytes)
      guard let sequence = decoder.next(Int64.self), let number = decoder.next(Int64.self),
        decoder.next(UInt32.self) == checksum, sequence > newest?.sequence ?? 0
      else { continue }
      newest = (sequence, number)
    }
    return newest
  }
}
