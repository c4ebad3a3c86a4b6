internal import Core
internal import Kafka
internal import OnlineStore

extension SourcePipeline {
  /// Applies the batch to a view that has a history.
  func apply(
    _ target: ViewTarget, _ history: HistoryWriter, _ records: borrowing ConsumedBatch, first: Int, count: Int
  ) throws(HeadraceError) {
    guard let touches = history.touches else {
      guard !target.rows.isEmpty else { return }
      return try history.applyUpdates(target, keys[target.keys], decisions, batch) { row in
        Self.knownMilliseconds(records[first + row])
      }
    }
    var start = 0
    for row in 0..<count where decisions.headers.watermarksMilliseconds[row] >= history.nextBoundary {
      let end = target.rows.firstIndex { $0 >= row } ?? target.rows.count
      try apply(target, touches, start..<end)
      if row > 0 { history.advance(to: decisions.headers.watermarksMilliseconds[row - 1]) }
      let record = records[first + row]
      try history.close(
        to: decisions.headers.watermarksMilliseconds[row], offset: record.offset,
        known: Self.knownMilliseconds(record))
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
