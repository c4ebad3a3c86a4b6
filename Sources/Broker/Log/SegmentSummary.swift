/// What is known of a segment without looking into its file.
struct SegmentSummary: Equatable, Sendable {
  let baseOffset: Int64
  /// One past the last offset that a batch in it occupies.
  var endOffset: Int64
  var sizeBytes = 0
  /// The first batch's maximum timestamp, from which the age for rolling counts; nil while empty.
  var firstTimestamp: Int64?
  var maximumTimestamp: Int64 = -1
  /// Base offset of the first batch that reached the maximum timestamp.
  var maximumTimestampOffset: Int64 = -1

  init(baseOffset: Int64) {
    self.baseOffset = baseOffset
    endOffset = baseOffset
  }

  /// Takes in a batch that stands at the end of the file.
  mutating func add(_ header: RecordBatchHeader) {
    endOffset = header.endOffset
    sizeBytes += header.sizeBytes
    if firstTimestamp == nil { firstTimestamp = header.maximumTimestamp }
    if header.maximumTimestamp > maximumTimestamp {
      maximumTimestamp = header.maximumTimestamp
      maximumTimestampOffset = header.baseOffset
    }
  }
}
