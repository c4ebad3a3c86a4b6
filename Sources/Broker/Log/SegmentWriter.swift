/// Writes a new segment from front to back, with its index.
final class SegmentWriter {
  let file: LogFile
  private(set) var summary: SegmentSummary
  private(set) var index = SegmentIndex()
  private let indexIntervalBytes: Int
  private var buffer: [UInt8] = []
  private static let bufferBytes = 1 << 20

  init(_ path: String, baseOffset: Int64, indexIntervalBytes: Int) throws(StorageFailure) {
    file = try LogFile(path, .create)
    summary = SegmentSummary(baseOffset: baseOffset)
    self.indexIntervalBytes = indexIntervalBytes
    buffer.reserveCapacity(Self.bufferBytes)
  }

  func append(_ batch: RawSpan) throws(StorageFailure) {
    if let header = RecordBatchHeader(batch) { try append(header, batch) }
  }

  func append(_ header: RecordBatchHeader, _ batch: RawSpan) throws(StorageFailure) {
    if buffer.count + batch.byteCount > Self.bufferBytes { try drain() }
    index.add(
      relativeOffset: header.baseOffset &- summary.baseOffset, position: summary.sizeBytes, sizeBytes: header.sizeBytes,
      maximumTimestampBefore: summary.maximumTimestamp, intervalBytes: indexIntervalBytes)
    summary.add(header)
    buffer.append(batch)
  }

  /// Brings everything to the disk.
  func finish() throws(StorageFailure) {
    try drain()
    try file.synchronize()
  }

  private func drain() throws(StorageFailure) {
    let bytes = buffer
    try file.write(unsafe bytes.span.bytes, at: summary.sizeBytes - bytes.count)
    buffer.removeAll(keepingCapacity: true)
  }
}
