internal import Core
internal import Kafka
internal import OnlineStore

extension SourcePipeline {
  /// Applies the batch to a view that has a history.
  func apply(
    _ target: ViewTarget, _ history: HistoryWriter, count: Int, isEmitting: Bool, known: (Int) -> Int64?
  ) throws(HeadraceError) {
    guard let touches = history.touches else {
      return try applyUpdates(target, history, isEmitting: isEmitting, known: known)
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

  /// Applies the batch to a view whose history has a row for each event. Where a model reads the view too, the batch
  /// goes in pieces in which no key comes twice: behind a piece every row is still what it was behind its own event,
  /// and history and model read the same.
  private func applyUpdates(
    _ target: ViewTarget, _ history: HistoryWriter, isEmitting: Bool, known: (Int) -> Int64?
  ) throws(HeadraceError) {
    guard isEmitting, let models, models.reads(view: target.view) else {
      guard !target.rows.isEmpty else { return }
      return try history.applyUpdates(
        target, 0..<target.rows.count, keys[target.keys], decisions, batch, known: known)
    }
    let rows = decisions.rows
    var (start, applied) = (0, 0)
    while start < rows.count {
      let end = Self.endOfDistinctKeys(rows, from: start, keys[target.keys], &seenKeys)
      let last = rows[end - 1]
      let appliedEnd = target.rows[applied...].firstIndex { $0 > last } ?? target.rows.count
      if applied < appliedEnd {
        try history.applyUpdates(target, applied..<appliedEnd, keys[target.keys], decisions, batch, known: known)
      }
      _ = try models.applyAndGather(
        target, store, keys: keys[target.keys], applied: [], rows: rows[start..<end], headers: decisions.headers)
      (start, applied) = (end, appliedEnd)
    }
  }

  /// Behind the last of the rows from `start` on whose keys differ; two keys of one hash count as the same.
  private static func endOfDistinctKeys(
    _ rows: [Int], from start: Int, _ keys: borrowing EntityKeys, _ seen: inout Set<UInt64>
  ) -> Int {
    seen.removeAll(keepingCapacity: true)
    var end = start
    while end < rows.count {
      let row = rows[end]
      guard !keys.isValid[row] || seen.insert(keys.hashes[row]).inserted else { break }
      end += 1
    }
    return max(end, start + 1)
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
