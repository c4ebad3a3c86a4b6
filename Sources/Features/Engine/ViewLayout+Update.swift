extension ViewLayout {
  /// Changes one slot by one event.
  ///
  /// - Parameters:
  ///   - isFirst: the group had no value yet, and its slots are zeroed.
  ///   - landmark: the time to which decaying weights refer.
  @inline(__always)
  func update(
    _ row: inout FeatureRow, cell: Int, _ plan: SlotPlan, isFirst: Bool, _ events: borrowing EventBlock,
    _ event: AppliedEvent, landmark: Int64
  ) {
    let slot = cell + plan.offset
    let place = event.record + plan.valueOffset
    switch plan.kind {
    case .sumInteger:
      row.store(row.load(slot, as: Int128.self) &+ Int128(events.integer(place)), at: slot)
    case .sumDouble:
      row.addDouble(events.double(place), toSumAt: slot)
    case .minimumInteger:
      row.keepLess(events.integer(place), at: slot, isFirst: isFirst)
    case .maximumInteger:
      row.keepGreater(events.integer(place), at: slot, isFirst: isFirst)
    case .minimumDouble:
      row.keepLess(OrderedDouble.key(events.double(place)), at: slot, isFirst: isFirst)
    case .maximumDouble:
      row.keepGreater(OrderedDouble.key(events.double(place)), at: slot, isFirst: isFirst)
    default:
      updateSeldom(&row, slot: slot, plan, isFirst: isFirst, events, event, place: place, landmark: landmark)
    }
  }

  /// The slots that cost more than a few instructions each.
  @inline(never)
  private func updateSeldom(
    _ row: inout FeatureRow, slot: Int, _ plan: SlotPlan, isFirst: Bool, _ events: borrowing EventBlock,
    _ event: AppliedEvent, place: Int, landmark: Int64
  ) {
    switch plan.kind {
    case .sumDecimal: row.addDecimal(events.decimal(place), toSumAt: slot)
    case .squaresInteger: row.addSquare(events.integer(place), at: slot)
    case .squaresDouble: row.addSquare(events.double(place), at: slot)
    case .minimumDecimal: row.keepLess(events.decimal(place), at: slot, isFirst: isFirst)
    case .maximumDecimal: row.keepGreater(events.decimal(place), at: slot, isFirst: isFirst)
    case .minimumText: row.keepText(events.text(place), at: slot, isFirst: isFirst, wantsGreater: false)
    case .maximumText: row.keepText(events.text(place), at: slot, isFirst: isFirst, wantsGreater: true)
    case .firstWord, .firstDecimal, .firstText, .lastWord, .lastDecimal, .lastText:
      guard takesPosition(row, slot, plan.kind.isLast, isFirst, event) else { return }
      row.setOrder(EventOrder(event), at: slot)
      row.setValue(plan.representation, at: slot, events, place)
    case .lastK:
      let entry = row.insertEntry(
        EventOrder(event), inListAt: slot, plan.representation, limit: Int(plan.parameter))
      if entry >= 0 { row.setValue(plan.representation, at: entry, events, place) }
    case .distinct: row.insertDistinct(events.hash(plan.representation, place), at: slot)
    case .quantiles: row.insertQuantile(events.double(place), at: slot)
    case .frequencies: row.addFrequency(plan.representation, at: slot, events, place, EventOrder(event))
    case .decayed:
      row.addDecayed(events.double(place), age: landmark &- event.time, halfLife: plan.parameter, at: slot)
    case .sumInteger, .sumDouble, .minimumInteger, .minimumDouble, .maximumInteger, .maximumDouble: break
    }
  }

  private func takesPosition(
    _ row: borrowing FeatureRow, _ slot: Int, _ wantsGreater: Bool, _ isFirst: Bool, _ event: AppliedEvent
  ) -> Bool {
    if isFirst { return true }
    return wantsGreater
      ? row.order(at: slot) < EventOrder(event) : EventOrder(event) < row.order(at: slot)
  }
}
