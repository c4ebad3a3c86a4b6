internal import Core
internal import Kafka
internal import OnlineStore

extension SourcePipeline {
  /// Applies the batch to a view that has a history.
  func apply(
    _ target: ViewTarget, _ history: HistoryWriter, count: Int, known: (Int) -> Int64?
  ) throws(HeadraceError) {
    guard let touches = history.touches else {
      guard !target.rows.isEmpty else { return }
      return try history.applyUpdates(target, keys[target.keys], decisions, batch, known: known)
    }
    var start = 0
    for row in 0..<count where decisions.headers.watermarksMilliseconds[row] >= history.nextBoundary {
      let end = target.rows.firstIndex { $0 >= row } ?? target.rows.count
      try apply(target, touches, start..<end)
      if row > 0 { history.advance(to: decisions.headers.watermarksMilliseconds[row - 1]) }
      try history.close(
        to: decisions.headers.watermarksMilliseconds[row], offset: decisions.headers.offsets[row],
        known: known(row))
      start = end
    }
    try apply(target, touches, start..<target.rows.count)
    if count > 0 { history.advance(to: decisions.headers.watermarksMilliseconds[count - 1]) }
  }

  private func apply(_ target: ViewTarget, _ touches: TileTouches, _ range: Range<Int>) throws(HeadraceError) {
    guard !range.isEmpty else { return }
    try store.apply(
      view: target.storeView, keys: keys[target.keys], inputs: target.inputs, rows: target.rows, range: range,
      isFirst: range.lowerBound == 0, headers: decisions.headers)
    try touches.note(keys[target.keys], target.rows, range, decisions.headers)
  }

  /// When a record came to the log; nil when it does not say.
  static func knownMilliseconds(_ record: borrowing ConsumedRecord) -> Int64? {
    let known = record.timestampMilliseconds
    return known > 0 ? known : nil
  }
}
