/// What is kept of a closed segment beside its data: summary and aborted transactions in a first frame, the sparse
/// index in a second, so that opening a log reads only the first.
struct SegmentIndexFile {
  var summary: SegmentSummary
  /// Those whose markers are in the segment.
  var aborted: [AbortedTransaction]

  func content(index: SegmentIndex) -> [UInt8] {
    var head = BigEndianEncoder()
    head.append(summary.baseOffset)
    head.append(summary.endOffset)
    head.append(Int64(summary.sizeBytes))
    head.append(UInt8(summary.firstTimestamp == nil ? 0 : 1))
    head.append(summary.firstTimestamp ?? 0)
    head.append(summary.maximumTimestamp)
    head.append(summary.maximumTimestampOffset)
    head.append(UInt32(aborted.count))
    for entry in aborted {
      head.append(entry.producerID)
      head.append(entry.firstOffset)
      head.append(entry.lastOffset)
      head.append(entry.lastStableOffset)
    }
    var table = BigEndianEncoder()
    for entry in index.entries {
      table.append(entry.relativeOffset)
      table.append(entry.position)
      table.append(entry.maximumTimestampBefore)
    }
    return CheckedFile.frame(.segmentIndex, head.bytes) + CheckedFile.frame(.segmentIndex, table.bytes)
  }

  /// Reads the first frame; nil when the file is missing, torn, or not about a segment of this base and size.
  init?(path: String, baseOffset: Int64, sizeBytes: Int) {
    guard let payload = CheckedFile.payload(path, kind: .segmentIndex) else { return nil }
    var decoder = BigEndianDecoder(payload)
    guard decoder.next(Int64.self) == baseOffset, let endOffset = decoder.next(Int64.self), endOffset >= baseOffset,
      decoder.next(Int64.self) == Int64(sizeBytes), let hasFirst = decoder.next(UInt8.self),
      let firstTimestamp = decoder.next(Int64.self), let maximumTimestamp = decoder.next(Int64.self),
      let maximumTimestampOffset = decoder.next(Int64.self), let count = decoder.next(UInt32.self),
      decoder.remaining == Int(count) * 32
    else { return nil }
    summary = SegmentSummary(baseOffset: baseOffset)
    summary.endOffset = endOffset
    summary.sizeBytes = sizeBytes
    summary.firstTimestamp = hasFirst == 0 ? nil : firstTimestamp
    summary.maximumTimestamp = maximumTimestamp
    summary.maximumTimestampOffset = maximumTimestampOffset
    aborted = []
    for _ in 0..<count {
      guard let id = decoder.next(Int64.self), let first = decoder.next(Int64.self),
        let last = decoder.next(Int64.self), let stable = decoder.next(Int64.self)
      else { return nil }
      aborted.append(
        AbortedTransaction(producerID: id, firstOffset: first, lastOffset: last, lastStableOffset: stable))
    }
  }

  init(summary: SegmentSummary, aborted: [AbortedTransaction]) {
    self.summary = summary
    self.aborted = aborted
  }

  /// Reads the second frame; nil when it is missing or torn.
  static func index(path: String) -> SegmentIndex? {
    guard let file = try? LogFile(path, .read),
      let head = CheckedFile.payload(in: file, at: 0, kind: .segmentIndex),
      let table = CheckedFile.payload(in: file, at: CheckedFile.frameBytes + head.count, kind: .segmentIndex),
      table.count % 16 == 0
    else { return nil }
    var decoder = BigEndianDecoder(table)
    var entries: [SegmentIndex.Entry] = []
    entries.reserveCapacity(table.count / 16)
    while let offset = decoder.next(UInt32.self), let position = decoder.next(UInt32.self),
      let timestamp = decoder.next(Int64.self)
    {
      entries.append(
        SegmentIndex.Entry(relativeOffset: offset, position: position, maximumTimestampBefore: timestamp))
    }
    return SegmentIndex(entries: entries)
  }
}
