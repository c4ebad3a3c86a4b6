/// Walks over the batches of a segment's file from front to back.
struct SegmentScanner: ~Copyable {
  enum Step: Equatable {
    case batch(RecordBatchHeader, position: Int)
    case end
    /// No whole batch begins here. `isCutOff`: the file ends inside of it.
    case bad(position: Int, isCutOff: Bool)
  }

  private let file: LogFile
  private let end: Int
  private var buffer: [UInt8]
  /// What the buffer holds of the file.
  private var window = 0..<0
  private var position: Int
  private var current = 0..<0

  /// - Parameter end: the size of the file.
  init(_ file: LogFile, from position: Int = 0, end: Int, bufferBytes: Int = 1 << 20) {
    self.file = file
    self.position = position
    self.end = end
    buffer = [UInt8](repeating: 0, count: max(min(bufferBytes, end - position), RecordBatchHeader.sizeBytes))
  }

  /// The whole batch that the last `next` found.
  var batch: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      unsafe buffer.span.bytes.extracting(current)
    }
  }

  /// The records of the batch that the last `next` found.
  var records: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      unsafe buffer.span.bytes.extracting((current.lowerBound + RecordBatchHeader.sizeBytes)..<current.upperBound)
    }
  }

  /// - Parameter checksums: whether the batch's checksum must be right.
  mutating func next(checksums: Bool) throws(StorageFailure) -> Step {
    guard position < end else { return .end }
    guard end - position >= RecordBatchHeader.sizeBytes else { return .bad(position: position, isCutOff: true) }
    try fill(RecordBatchHeader.sizeBytes)
    let start = position - window.lowerBound
    guard let header = unsafe RecordBatchHeader(buffer.span.bytes.extracting(droppingFirst: start)),
      header.magic == RecordBatchHeader.currentMagic, header.sizeBytes >= RecordBatchHeader.sizeBytes,
      header.lastOffsetDelta >= 0, header.baseOffset >= 0
    else { return .bad(position: position, isCutOff: false) }
    guard header.sizeBytes <= end - position else { return .bad(position: position, isCutOff: true) }
    try fill(header.sizeBytes)
    let first = position - window.lowerBound
    current = first..<(first + header.sizeBytes)
    if checksums {
      let checked = unsafe buffer.span.bytes.extracting((first + RecordBatchHeader.checkedFrom)..<current.upperBound)
      guard checked.crc32c() == header.checksum else { return .bad(position: position, isCutOff: false) }
    }
    let found = position
    position += header.sizeBytes
    return .batch(header, position: found)
  }

  /// Makes the next `count` bytes of the file present in the buffer; the caller knows that the file has them.
  private mutating func fill(_ count: Int) throws(StorageFailure) {
    guard position < window.lowerBound || position + count > window.upperBound else { return }
    if buffer.count < count { buffer = [UInt8](repeating: 0, count: count) }
    let wanted = min(buffer.count, end - position)
    let start = position
    let file = file
    var elements = buffer.mutableSpan
    var bytes = unsafe elements.mutableBytes
    let read = try file.read(wanted, into: &bytes, at: start)
    guard read >= count else { throw StorageFailure(operation: "read", path: file.path, code: 5) }
    window = start..<(start + read)
  }
}
