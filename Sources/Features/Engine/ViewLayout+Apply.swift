extension ViewLayout {
  /// Adds one event to the row of its entity.
  ///
  /// The event changes every tile of it that still counts at the watermark, and nothing else: an event that is `late`
  /// changes nothing.
  /// - Parameters:
  ///   - events: loaded with the batch that the event is a row of.
  ///   - watermark: of the partition at this event. Tiles below what it retains are dropped when room is needed.
  package func apply(
    _ row: inout FeatureRow, events: borrowing EventBlock, index: Int, eventTime: Int64, position: EventPosition,
    watermark: Int64
  ) {
    let event = AppliedEvent(record: events.record(index), time: eventTime, position: position)
    let oldest = watermark.subtractingSaturating(lateness)
    var isCounted = false
    for region in regions.indices {
      let cell = cell(for: event, region, &row, oldest: oldest)
      guard cell >= 0 else { continue }
      isCounted = true
      update(&row, cell: cell, region, events, event)
    }
    if isCounted, eventTime > row.newestEventTime { row.newestEventTime = eventTime }
    compactIfWasteful(&row)
  }

  /// Where an event stands.
  package func ring(eventTime: Int64, watermark: Int64) -> Ring {
    let oldest = watermark.subtractingSaturating(lateness)
    if eventTime >= oldest { return .applied }
    for region in regions {
      switch region.kind {
      case .lifetime, .events: return .repaired
      case .sessions: break
      case .tiles:
        if tileCounts(start: eventTime.flooredSaturating(region.span), region, oldest: oldest) { return .repaired }
      }
    }
    return .late
  }

  /// Whether a tile still counts for a window: its end lies after the start of some window at the oldest time that is
  /// still expected.
  func tileCounts(start: Int64, _ region: RegionPlan, oldest: Int64) -> Bool {
    start.addingSaturating(region.span) > retainedFrom(region, oldest: oldest)
  }

  /// The start of the oldest window that may still be read. A tile that ends there or earlier is dead.
  func retainedFrom(_ region: RegionPlan, oldest: Int64) -> Int64 {
    var start = Int64.max
    for tail in region.windows { start = min(start, tails[tail].start(at: oldest)) }
    return start
  }

  /// The cell that an event belongs to, made if need be; negative when the event does not count for the region.
  @inline(__always)
  private func cell(for event: AppliedEvent, _ index: Int, _ row: inout FeatureRow, oldest: Int64) -> Int {
    let plan = regions[index]
    switch plan.kind {
    case .tiles:
      let count = row.cellCount(index)
      if count > 0 {
        let newest = row.regionStart(index) + (count - 1) * plan.cellBytes
        let age = UInt64(bitPattern: event.time &- row.load(newest, as: Int64.self))
        if age < UInt64(bitPattern: plan.span), event.time >= oldest { return newest }
      }
      return tile(event.time, plan, index, &row, oldest: oldest)
    case .lifetime:
      if row.cellCount(index) > 0 { return row.regionStart(index) }
      return row.insertCell(index, at: 0, cellBytes: plan.cellBytes, usualCount: 1)
    case .sessions: return session(event.time, plan, index, &row, oldest: oldest)
    case .events: return eventCell(event, plan, index, &row)
    }
  }

  /// The tile of a time, anywhere in the region.
  private func tile(_ time: Int64, _ plan: RegionPlan, _ index: Int, _ row: inout FeatureRow, oldest: Int64) -> Int {
    let start = time.flooredSaturating(plan.span)
    if time < oldest, !tileCounts(start: start, plan, oldest: oldest) { return -1 }
    let place = row.firstCell(index, notBefore: start, cellBytes: plan.cellBytes)
    if place < row.cellCount(index) {
      let cell = row.regionStart(index) + place * plan.cellBytes
      if row.load(cell, as: Int64.self) == start { return cell }
    }
    return insertTile(start, at: place, index, &row, oldest: oldest)
  }

  /// A new tile. Dead ones make room for it before the region grows.
  func insertTile(_ start: Int64, at place: Int, _ index: Int, _ row: inout FeatureRow, oldest: Int64) -> Int {
    let plan = regions[index]
    let isFull = row.cellCount(index) == row.cellCapacity(index)
    let dropped = isFull ? dropDeadTiles(&row, index, oldest: oldest) : 0
    let cell = row.insertCell(
      index, at: place - dropped, cellBytes: plan.cellBytes, usualCount: plan.usualCount)
    row.store(start, at: cell)
    return cell
  }

  /// Changes the slots of a cell by one event.
  @inline(__always)
  private func update(
    _ row: inout FeatureRow, cell: Int, _ region: Int, _ events: borrowing EventBlock, _ event: AppliedEvent
  ) {
    let landmark = landmark(row, cell, regions[region])
    for group in regions[region].groups {
      let plan = groups[group]
      let flags = events.flags(event.record, word: plan.filterWord) & plan.filterMask
      guard flags == plan.filterMask else { continue }
      let isPresent = events.flags(event.record, word: plan.argumentWord) & plan.argumentMask
      guard isPresent == plan.argumentMask else { continue }
      let count: UInt64 = row.load(cell + plan.countOffset)
      row.store(count &+ 1, at: cell + plan.countOffset)
      for slot in plan.slots {
        update(&row, cell: cell, slots[slot], isFirst: count == 0, events, event, landmark: landmark)
      }
    }
  }
}

extension ViewLayout {
  /// The time that decaying weights in a cell refer to: a tile's end, an event's own time.
  @inline(__always)
  func landmark(_ row: borrowing FeatureRow, _ cell: Int, _ region: RegionPlan) -> Int64 {
    let key: Int64 = row.load(cell)
    return region.kind == .tiles ? key &+ region.span : key
  }
}

/// The event that is applied: the inputs are in a record of an `EventBlock`.
struct AppliedEvent {
  var record: Int
  var time: Int64
  var position: EventPosition
}
