// Cells that are not tiles: sessions and single events.
extension ViewLayout {
  static let sessionEnd = 8

  /// The session that a time belongs to, with its bounds moved; neighbours that it joins become one.
  ///
  /// A session may still grow, and be read, while its end and the gap reach the oldest expected time. An event that is
  /// older than that time itself never counts, so that the answer depends on the watermark only and not on what was
  /// dropped.
  func session(_ time: Int64, _ plan: RegionPlan, _ index: Int, _ row: inout FeatureRow, oldest: Int64) -> Int {
    guard time >= oldest else { return -1 }
    return session(from: time, to: time, plan, index, &row)
  }

  /// The session that holds an interval.
  func session(from start: Int64, to end: Int64, _ plan: RegionPlan, _ index: Int, _ row: inout FeatureRow) -> Int {
    let reach = start.subtractingSaturating(plan.span)
    // Sessions do not overlap: their ends are in the order of their starts.
    var first = row.cellCount(index)
    while first > 0, sessionBounds(row, plan, index, first - 1).end >= reach { first -= 1 }
    var last = first
    while last < row.cellCount(index), sessionBounds(row, plan, index, last).start <= end.addingSaturating(plan.span) {
      last += 1
    }
    if first == last {
      let cell = row.insertCell(index, at: first, cellBytes: plan.cellBytes, usualCount: plan.usualCount)
      row.store(start, at: cell)
      row.store(end, at: cell + Self.sessionEnd)
      return cell
    }
    while last - first > 1 {
      joinSessions(&row, plan, index, first)
      last -= 1
    }
    let cell = row.regionStart(index) + first * plan.cellBytes
    let bounds = sessionBounds(row, plan, index, first)
    row.store(min(start, bounds.start), at: cell)
    row.store(max(end, bounds.end), at: cell + Self.sessionEnd)
    return cell
  }

  func sessionBounds(
    _ row: borrowing FeatureRow, _ plan: RegionPlan, _ index: Int, _ position: Int
  ) -> (start: Int64, end: Int64) {
    let cell = row.regionStart(index) + position * plan.cellBytes
    return (row.load(cell), row.load(cell + Self.sessionEnd))
  }

  /// Makes the session at a position and the one behind it one.
  private func joinSessions(_ row: inout FeatureRow, _ plan: RegionPlan, _ index: Int, _ position: Int) {
    // The slots of two cells merge between two rows only: a second one is seldom needed.
    let other = row.copy()
    let cell = row.regionStart(index) + position * plan.cellBytes
    let joined = other.regionStart(index) + (position + 1) * plan.cellBytes
    row.store(sessionBounds(other, plan, index, position + 1).end, at: cell + Self.sessionEnd)
    merge(&row, cell: cell, other, otherCell: joined, index)
    releaseBlocks(&row, index, position + 1..<position + 2)
    row.removeCells(index, position + 1..<position + 2, cellBytes: plan.cellBytes)
  }

  /// A new cell for an event; -1 when it is older than all of the events that are kept, and these are enough.
  func eventCell(_ event: AppliedEvent, _ plan: RegionPlan, _ index: Int, _ row: inout FeatureRow) -> Int {
    eventCell(EventOrder(event), plan, index, &row)
  }

  func eventCell(_ order: EventOrder, _ plan: RegionPlan, _ index: Int, _ row: inout FeatureRow) -> Int {
    var place = row.cellCount(index)
    while place > 0, order < eventOrder(row, plan, index, place - 1) { place -= 1 }
    if row.cellCount(index) >= Int(plan.span) {
      guard place > 0 else { return -1 }
      releaseBlocks(&row, index, 0..<1)
      row.removeCells(index, 0..<1, cellBytes: plan.cellBytes)
      place -= 1
    }
    let cell = row.insertCell(index, at: place, cellBytes: plan.cellBytes, usualCount: plan.usualCount)
    row.store(order.time, at: cell)
    row.store(order.offset, at: cell + 8)
    row.store(order.partition, at: cell + 16)
    return cell
  }

  func eventOrder(_ row: borrowing FeatureRow, _ plan: RegionPlan, _ index: Int, _ position: Int) -> EventOrder {
    let cell = row.regionStart(index) + position * plan.cellBytes
    return EventOrder(time: row.load(cell), partition: row.load(cell + 16), offset: row.load(cell + 8))
  }
}
