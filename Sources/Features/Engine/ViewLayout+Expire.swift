extension ViewLayout {
  /// Drops what no read can ask for any more. Never changes an answer: reads go by the watermark, not by what is there.
  package func expire(_ row: inout FeatureRow, watermark: Int64) {
    let oldest = watermark.subtractingSaturating(lateness)
    for index in regions.indices {
      switch regions[index].kind {
      case .tiles: _ = dropDeadTiles(&row, index, oldest: oldest)
      case .sessions: dropDeadSessions(&row, index, oldest: oldest)
      case .lifetime, .events: break
      }
    }
    compactIfWasteful(&row)
  }

  /// Whether the row ended at every time that may still be read: it can be deleted.
  package func isExpired(_ row: borrowing FeatureRow, watermark: Int64) -> Bool {
    guard let retention, let newest = row.newestEventTimeMilliseconds else { return false }
    return watermark.subtractingSaturating(lateness).subtractingSaturating(newest) > retention
  }

  /// - Returns: how many.
  func dropDeadTiles(_ row: inout FeatureRow, _ index: Int, oldest: Int64) -> Int {
    let plan = regions[index]
    let retained = retainedFrom(plan, oldest: oldest)
    // A tile is dead when its end lies at or before what is retained.
    let live = retained.subtractingSaturating(plan.span).addingSaturating(1)
    let dead = row.firstCell(index, notBefore: live, cellBytes: plan.cellBytes)
    guard dead > 0 else { return 0 }
    releaseBlocks(&row, index, 0..<dead)
    row.removeCells(index, 0..<dead, cellBytes: plan.cellBytes)
    return dead
  }

  func dropDeadSessions(_ row: inout FeatureRow, _ index: Int, oldest: Int64) {
    let plan = regions[index]
    var dead = 0
    while dead < row.cellCount(index),
      sessionBounds(row, plan, index, dead).end.addingSaturating(plan.span) < oldest
    { dead += 1 }
    guard dead > 0 else { return }
    releaseBlocks(&row, index, 0..<dead)
    row.removeCells(index, 0..<dead, cellBytes: plan.cellBytes)
  }
}
