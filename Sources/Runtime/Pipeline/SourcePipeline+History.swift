internal import Core
internal import Kafka
internal import OnlineStore

extension SourcePipeline {
  /// Applies the batch to a view that has a history.
  func apply(
    _ target: ViewTarget, _ history: HistoryWriter, count: Int, isEmitting: Bool, known: (Int) -> Int64?
  ) throws(HeadraceError) {
    guard let touches = history.touches else {
      guard !target.rows.isEmpty else { return }
      return try history.applyUpdates(target, keys[target.keys], decisions, batch, known: known)
    }
    var start = 0
    for row in 0..<count where decisions.headers.watermarksMilliseconds[row] >= history.nextBoundary {
      try apply(target, touches, start..<row, isEmitting: isEmitting)
      if row > 0 { history.advance(to: decisions.headers.watermarksMilliseconds[row - 1]) }
      try history.close(
        to: decisions.headers.watermarksMilliseconds[row], offset: decisions.headers.offsets[row],
        known: known(row))
      start = row
    }
    try apply(target, touches, start..<count, isEmitting: isEmitting)
    if count > 0 { history.advance(to: decisions.headers.watermarksMilliseconds[count - 1]) }
  }

  /// Applies a part of the batch, between two ends of tiles.
  private func apply(
    _ target: ViewTarget, _ touches: TileTouches, _ part: Range<Int>, isEmitting: Bool
  ) throws(HeadraceError) {
    let range = Self.positions(of: part, in: target.rows)
    let isGathered =
      if isEmitting, let models {
        try models.applyAndGather(
          target, store, keys: keys[target.keys], applied: target.rows[range],
          rows: decisions.rows[Self.positions(of: part, in: decisions.rows)], headers: decisions.headers)
      } else {
        false
      }
    guard !range.isEmpty else { return }
    if !isGathered {
      try store.apply(
        view: target.storeView, keys: keys[target.keys], inputs: target.inputs, rows: target.rows, range: range,
        isFirst: range.lowerBound == 0, headers: decisions.headers)
    }
    try touches.note(keys[target.keys], target.rows, range, decisions.headers)
  }

  /// Where ascending rows lie in a part of the batch.
  private static func positions(of part: Range<Int>, in rows: [Int]) -> Range<Int> {
    let start = rows.firstIndex { $0 >= part.lowerBound } ?? rows.count
    return start..<(rows[start...].firstIndex { $0 >= part.upperBound } ?? rows.count)
  }

  /// When a record came to the log; nil when it does not say.
  static func knownMilliseconds(_ record: borrowing ConsumedRecord) -> Int64? {
    let known = record.timestampMilliseconds
    return known > 0 ? known : nil
  }
}
