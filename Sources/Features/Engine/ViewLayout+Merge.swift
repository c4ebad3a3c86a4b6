extension ViewLayout {
  /// Adds everything that a delta holds: a row of the same layout that other events were applied to.
  ///
  /// Commutative and associative to the bit: any split of events into deltas, merged in any order, reads the same.
  /// - Parameter watermark: tiles below what it retains are left out.
  package func merge(_ delta: borrowing FeatureRow, into row: inout FeatureRow, watermark: Int64) {
    let oldest = watermark.subtractingSaturating(lateness)
    for index in regions.indices {
      for position in 0..<delta.cellCount(index) {
        let source = delta.regionStart(index) + position * regions[index].cellBytes
        mergeCell(&row, delta, source, index, oldest: oldest)
      }
    }
    row.newestEventTime = max(row.newestEventTime, delta.newestEventTime)
    compactIfWasteful(&row)
  }

  private func mergeCell(
    _ row: inout FeatureRow, _ delta: borrowing FeatureRow, _ source: Int, _ index: Int, oldest: Int64
  ) {
    let plan = regions[index]
    let key: Int64 = delta.load(source)
    switch plan.kind {
    case .tiles:
      guard tileCounts(start: key, plan, oldest: oldest) else { return }
      let place = row.firstCell(index, notBefore: key, cellBytes: plan.cellBytes)
      if place < row.cellCount(index) {
        let cell = row.regionStart(index) + place * plan.cellBytes
        if row.load(cell, as: Int64.self) == key { return merge(&row, cell: cell, delta, otherCell: source, index) }
      }
      let cell = insertTile(key, at: place, index, &row, oldest: oldest)
      copySlots(&row, cell: cell, delta, otherCell: source, index)
    case .lifetime:
      if row.cellCount(index) == 0 {
        _ = row.insertCell(index, at: 0, cellBytes: plan.cellBytes, usualCount: 1)
      }
      merge(&row, cell: row.regionStart(index), delta, otherCell: source, index)
    case .sessions:
      let end: Int64 = delta.load(source + Self.sessionEnd)
      let cell = session(from: key, to: end, plan, index, &row)
      merge(&row, cell: cell, delta, otherCell: source, index)
    case .events:
      let order = EventOrder(time: key, partition: delta.load(source + 16), offset: delta.load(source + 8))
      let cell = eventCell(order, plan, index, &row)
      if cell >= 0 { copySlots(&row, cell: cell, delta, otherCell: source, index) }
    }
  }

  /// Adds the slots of a cell of another row.
  func merge(_ row: inout FeatureRow, cell: Int, _ other: borrowing FeatureRow, otherCell: Int, _ index: Int) {
    for group in regions[index].groups {
      let plan = groups[group]
      let added: UInt64 = other.load(otherCell + plan.countOffset)
      guard added != 0 else { continue }
      let count: UInt64 = row.load(cell + plan.countOffset)
      row.store(count &+ added, at: cell + plan.countOffset)
      for slot in plan.slots {
        let plan = slots[slot]
        merge(&row, slot: cell + plan.offset, other, otherCell + plan.offset, plan, isFirst: count == 0)
      }
    }
  }

  /// Adds a slot that holds something; `isFirst` when the target does not.
  func merge(
    _ row: inout FeatureRow, slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int, _ plan: SlotPlan,
    isFirst: Bool
  ) {
    switch plan.kind {
    case .sumInteger:
      row.store(row.load(slot, as: Int128.self) &+ other.load(otherSlot, as: Int128.self), at: slot)
    case .sumDouble: row.mergeSum(at: slot, other, otherSlot, .sum)
    case .sumDecimal: row.mergeSum(at: slot, other, otherSlot, .decimalSum)
    case .squaresInteger, .squaresDouble: row.mergeSum(at: slot, other, otherSlot, .squares)
    case .minimumInteger, .minimumDouble:
      row.keepLess(other.load(otherSlot, as: Int64.self), at: slot, isFirst: isFirst)
    case .maximumInteger, .maximumDouble:
      row.keepGreater(other.load(otherSlot, as: Int64.self), at: slot, isFirst: isFirst)
    case .minimumDecimal: row.keepLess(other.load(otherSlot, as: Int128.self), at: slot, isFirst: isFirst)
    case .maximumDecimal: row.keepGreater(other.load(otherSlot, as: Int128.self), at: slot, isFirst: isFirst)
    case .minimumText, .maximumText:
      let text = other.blockBytes(other.load(otherSlot))
      row.keepText(text, at: slot, isFirst: isFirst, wantsGreater: plan.kind == .maximumText)
    case .firstWord, .firstDecimal, .firstText, .lastWord, .lastDecimal, .lastText:
      let order = other.order(at: otherSlot)
      guard isFirst || (plan.kind.isLast ? row.order(at: slot) < order : order < row.order(at: slot)) else { return }
      row.setOrder(order, at: slot)
      row.copyValue(plan.representation, to: slot, other, from: otherSlot)
    case .lastK: row.mergeList(at: slot, other, otherSlot, plan.representation, limit: Int(plan.parameter))
    case .distinct: row.mergeDistinct(at: slot, other, otherSlot)
    case .quantiles: row.mergeQuantiles(at: slot, other, otherSlot)
    case .frequencies: row.mergeFrequencies(at: slot, other, otherSlot, plan.representation)
    case .decayed: row.mergeDecayed(at: slot, other, otherSlot)
    }
  }
}
