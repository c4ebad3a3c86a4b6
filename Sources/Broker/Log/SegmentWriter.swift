/// Writes a new segment from front to back, with its index.
///
/// As long as it is nothing but the beginning of another file there is no need to write: the file is made at the first
/// difference.
final class SegmentWriter {
  private(set) var summary: SegmentSummary
  private(set) var index = SegmentIndex()
  private let path: String
  private let origin: LogFile
  private let indexIntervalBytes: Int
  /// nil while everything is as in the origin.
  private var file: LogFile?
  private var buffer: [UInt8] = []
  private static let bufferBytes = 1 << 20

  /// - Parameter origin: the file that the first batches may be equal to.
  init(_ path: String, baseOffset: Int64, origin: LogFile, indexIntervalBytes: Int) {
    self.path = path
    self.origin = origin
    self.indexIntervalBytes = indexIntervalBytes
    summary = SegmentSummary(baseOffset: baseOffset)
  }

  /// Whether there is a file, because something differs from the origin.
  var isWritten: Bool { file != nil }

  /// From here on there are differences.
  func diverge() throws(StorageFailure) {
    guard file == nil else { return }
    let file = try LogFile(path, .create)
    self.file = file
    var position = 0
    var chunk = [UInt8](repeating: 0, count: min(Self.bufferBytes, summary.sizeBytes))
    while position < summary.sizeBytes {
      let count = min(chunk.count, summary.sizeBytes - position)
      var elements = chunk.mutableSpan
      var bytes = unsafe elements.mutableBytes
      guard try origin.read(count, into: &bytes, at: position) == count else {
        throw StorageFailure(operation: "read", path: origin.path, code: 5)
      }
      try file.write(unsafe chunk.span.bytes.extracting(first: count), at: position)
      position += count
    }
  }

  /// Adds a batch; until `diverge` it is the one that follows in the origin.
  func append(_ header: RecordBatchHeader, _ batch: RawSpan) throws(StorageFailure) {
    if let file {
      if buffer.count + batch.byteCount > Self.bufferBytes { try drain(file) }
      buffer.append(batch)
    }
    index.add(
      relativeOffset: header.baseOffset &- summary.baseOffset, position: summary.sizeBytes,
      sizeBytes: header.sizeBytes, maximumTimestampBefore: summary.maximumTimestamp, intervalBytes: indexIntervalBytes)
    summary.add(header)
  }

  /// Brings everything to the disk.
  func finish() throws(StorageFailure) {
    guard let file else { return }
    try drain(file)
    try file.synchronize()
  }

  private func drain(_ file: LogFile) throws(StorageFailure) {
    let bytes = buffer
    try file.write(unsafe bytes.span.bytes, at: summary.sizeBytes - bytes.count)
    buffer.removeAll(keepingCapacity: true)
  }
}
