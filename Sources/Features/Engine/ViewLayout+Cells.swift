extension ViewLayout {
  /// The cells that a feature is computed from when it is read at a time.
  func cells(_ row: borrowing FeatureRow, _ feature: FeaturePlan, at time: Int64) -> CellRange {
    let plan = regions[feature.region]
    let bounds = positions(row, feature, plan, at: time)
    return CellRange(
      start: row.regionStart(feature.region) + bounds.lowerBound * plan.cellBytes, count: bounds.count,
      stride: plan.cellBytes)
  }

  private func positions(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ plan: RegionPlan, at time: Int64
  ) -> Range<Int> {
    let region = feature.region
    let count = row.cellCount(region)
    switch feature.window {
    case .sliding, .tumbling:
      let first = row.firstCell(region, notBefore: feature.tail.start(at: time), cellBytes: plan.cellBytes)
      // A tumbling window ends where the last closed span ends, a sliding one with the tile that the time lies in.
      let end = feature.isTumbling ? time.flooredSaturating(feature.tail.hop) : time.addingSaturating(1)
      var last = count
      while last > first, row.load(row.regionStart(region) + (last - 1) * plan.cellBytes, as: Int64.self) >= end {
        last -= 1
      }
      return first..<last
    case .lifetime: return 0..<count
    case .session(let gap):
      var last = count
      while last > 0, sessionBounds(row, plan, region, last - 1).start > time { last -= 1 }
      guard last > 0, time.subtractingSaturating(sessionBounds(row, plan, region, last - 1).end) <= gap else {
        return 0..<0
      }
      return last - 1..<last
    case .lastEvents(let most):
      var last = count
      while last > 0, eventOrder(row, plan, region, last - 1).time > time { last -= 1 }
      return max(0, last - most)..<last
    }
  }

  /// How an answer at a time may differ from the events up to that time.
  func flags(_ row: borrowing FeatureRow, _ feature: FeaturePlan, at time: Int64, watermark: Int64) -> FeatureFlags {
    let newest = row.newestEventTime
    if isBeforeHorizon(feature, at: time, newest: newest, watermark: watermark) { return .beforeHorizon }
    guard newest > time, !feature.isTumbling else { return [] }
    let plan = regions[feature.region]
    switch plan.kind {
    case .lifetime: return .tile
    case .tiles:
      let start = time.flooredSaturating(plan.span)
      let position = row.firstCell(feature.region, notBefore: start, cellBytes: plan.cellBytes)
      guard position < row.cellCount(feature.region) else { return [] }
      return row.load(row.regionStart(feature.region) + position * plan.cellBytes, as: Int64.self) == start ? .tile : []
    case .sessions:
      for position in 0..<row.cellCount(feature.region) {
        let bounds = sessionBounds(row, plan, feature.region, position)
        if bounds.start <= time, bounds.end > time { return .tile }
      }
      return []
    case .events:
      // Newer events may have driven out what was among the newest at that time.
      guard case .lastEvents(let most) = feature.window, row.cellCount(feature.region) >= Int(plan.span) else {
        return []
      }
      return positions(row, feature, plan, at: time).count < most ? .tile : []
    }
  }

  /// Whether some of the tiles that the window needs at a time may be gone.
  func isBeforeHorizon(_ feature: FeaturePlan, at time: Int64, newest: Int64, watermark: Int64) -> Bool {
    let oldest = watermark.subtractingSaturating(lateness)
    let region = regions[feature.region]
    switch region.kind {
    case .lifetime: return false
    case .tiles:
      return feature.tail.start(at: time).addingSaturating(region.span) <= retainedFrom(region, oldest: oldest)
    // Without a past: once an event came after the time, what it drove out is not known any more.
    case .sessions: return time < oldest
    case .events: return newest > time && time < oldest
    }
  }

  /// The earliest time at which all of the features can be read; nil when every time can.
  package func horizon(of features: [Int], watermark: Int64) -> Int64? {
    let oldest = watermark.subtractingSaturating(lateness)
    var earliest: Int64?
    for index in features where self.features.indices.contains(index) {
      let feature = self.features[index]
      let region = regions[feature.region]
      var time = oldest
      switch region.kind {
      case .lifetime: continue
      case .sessions, .events: break
      case .tiles:
        // The window may begin with the first tile that counts.
        let first = retainedFrom(region, oldest: oldest).addingSaturating(1).addingSaturating(-region.span)
        let start = first.flooredSaturating(region.span)
        let tile = start < first ? start.addingSaturating(region.span) : start
        time = tile.addingSaturating(feature.tail.length)
        let floored = time.flooredSaturating(feature.tail.hop)
        time = floored < time ? floored.addingSaturating(feature.tail.hop) : time
      }
      earliest = max(earliest ?? .min, time)
    }
    return earliest
  }
}

extension FeaturePlan {
  var isTumbling: Bool { if case .tumbling = window { true } else { false } }
}
