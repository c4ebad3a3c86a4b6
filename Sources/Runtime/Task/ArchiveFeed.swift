internal import Core
internal import OfflineStore

/// Applies the archive of a partition to a pipeline, up to where the log takes over.
///
/// The last event is held back: if the log still has it, reading goes on with its record, and the watermark before it,
/// which the archive says, is exact whatever came between it and the event before it.
///
/// A value of its task: when the process dies, rows that no checkpoint has are gone, and are read again from the
/// position of the last one.
final class ArchiveFeed {
  /// Everything below it that the archive has is applied.
  private(set) var position: Int64
  /// What is read: up to there.
  let limit: Int64
  /// Once the end is reached: what the archive has; nil: nothing.
  private(set) var reach: ArchiveSnapshot.Reach?
  private let stream: ArchiveStream
  private var held: ArchivedRows?

  init(_ request: ArchiveStream.Request) throws(HeadraceError) {
    position = request.offsets.lowerBound
    limit = request.offsets.upperBound
    stream = try ArchiveStream(request)
  }

  enum Step {
    case applied
    case nothingYet
    /// All is applied but the event that is held back.
    case atEnd
  }

  var isReady: Bool { stream.isReady }

  /// Applies the next few events.
  func advance(_ pipeline: SourcePipeline) throws(HeadraceError) -> Step {
    switch try stream.next() {
    case .nothingYet: return .nothingYet
    case .end(let reach):
      self.reach = reach
      return .atEnd
    case .batch(let rows):
      try applyHeld(pipeline)
      try pipeline.process(rows, 0..<rows.count - 1)
      held = rows.last
      position = rows.offset(rows.count - 1)
      return .applied
    }
  }

  /// Behind the end: hands over to the log.
  ///
  /// - Returns: where the log is read on; nil: it begins behind the last archived event, which is applied now.
  func handOver(_ pipeline: SourcePipeline, logBeginning: Int64) throws(HeadraceError) -> Int64? {
    if let held, held.offset(0) >= logBeginning {
      if let watermark = held.watermarkMilliseconds(0) { pipeline.decisions.raise(watermark: watermark) }
      self.held = nil
      return position
    }
    try applyHeld(pipeline)
    return position == logBeginning ? position : nil
  }

  private func applyHeld(_ pipeline: SourcePipeline) throws(HeadraceError) {
    guard let held else { return }
    try pipeline.process(held, 0..<1)
    position = held.offset(0) + 1
    self.held = nil
  }
}
