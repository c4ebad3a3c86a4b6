/// A run of consecutive batches in one file. The last segment of a log grows; the others are closed and never change.
final class LogSegment {
  /// What reading needs: the open file and its index.
  struct Opened {
    let file: LogFile
    var index: SegmentIndex
  }

  /// Folder and name without suffix.
  let stem: String
  private(set) var summary: SegmentSummary
  /// Always there for the growing segment; for closed ones managed by `SegmentCache`.
  var opened: Opened?
  /// Whether the closed segment's index file is to be written by the next flush.
  var needsIndexFile = false
  /// The broker's clock when this process began to use the segment, for rolling segments without timestamps.
  let createdMilliseconds: Int64

  init(folder: String, summary: SegmentSummary, opened: Opened?, createdMilliseconds: Int64) {
    stem = "\(folder)/\(SegmentName.stem(summary.baseOffset))"
    self.summary = summary
    self.opened = opened
    self.createdMilliseconds = createdMilliseconds
  }

  var logPath: String { stem + SegmentName.logSuffix }
  var indexPath: String { stem + SegmentName.indexSuffix }
  var baseOffset: Int64 { summary.baseOffset }
  var endOffset: Int64 { summary.endOffset }
  var sizeBytes: Int { summary.sizeBytes }

  /// The timestamp that its age counts from; the clock where the records have none.
  var newestMilliseconds: Int64 { summary.maximumTimestamp >= 0 ? summary.maximumTimestamp : createdMilliseconds }

  /// Takes in a batch that was just written at the end of the growing segment's file.
  func add(_ header: RecordBatchHeader, indexIntervalBytes: Int) {
    opened?.index.add(
      relativeOffset: header.baseOffset &- baseOffset, position: sizeBytes, sizeBytes: header.sizeBytes,
      maximumTimestampBefore: summary.maximumTimestamp, intervalBytes: indexIntervalBytes)
    summary.add(header)
  }
}
