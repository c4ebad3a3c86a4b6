internal import Features

/// Which rows on the disk nobody can ask for any more, by the newest event time in their header.
///
/// A row whose newest event left every window, and is past the view's `ttl`, reads as not found and adds nothing to
/// what comes later: whether it is still there makes no difference, so compactions may drop it.
extension ViewLayout {
  /// Where a row has its newest event time: little-endian epoch milliseconds.
  static let newestEventTimeOffset = 8

  /// Rows whose newest event is below it may be deleted; nil when rows of this view never end.
  ///
  /// - Parameter watermark: of a checkpoint: a restart reads nothing that is judged by an older one.
  func deletionHorizon(at watermark: Int64) -> Int64? {
    guard watermark > .min else { return nil }
    var reach = definition.ttlMilliseconds ?? 0
    for feature in definition.features {
      switch feature.window {
      case .sliding(let length, let hop): reach = max(reach, length.addingSaturating(hop))
      case .tumbling(let length): reach = max(reach, length.addingSaturating(length))
      case .session(let gap): reach = max(reach, gap)
      case .lifetime, .lastEvents: return nil
      }
    }
    // Once for what is still expected, once for what may be read at a time before the watermark.
    let lateness = definition.latenessMilliseconds
    let span = reach.addingSaturating(lateness).addingSaturating(lateness)
    let (horizon, overflow) = watermark.subtractingReportingOverflow(span)
    return overflow ? nil : horizon
  }
}
