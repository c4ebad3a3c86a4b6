extension ViewLayout {
  /// Changes one slot by one event.
  ///
  /// - Parameter isFirst: the group had no value yet, and its slots are zeroed.
  @inline(__always)
  func update(
    _ row: inout FeatureRow, cell: Int, _ plan: SlotPlan, isFirst: Bool, _ events: borrowing EventBlock,
    _ event: AppliedEvent, span: Int64
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
      updateSeldom(&row, slot: slot, plan, isFirst: isFirst, events, event, place: place, span: span)
    }
  }

  /// The slots that cost more than a few instructions each.
  @inline(never)
  private func updateSeldom(
    _ row: inout FeatureRow, slot: Int, _ plan: SlotPlan, isFirst: Bool, _ events: borrowing EventBlock,
    _ event: AppliedEvent, place: Int, span: Int64
  ) {
    switch plan.kind {
    case .sumDecimal: row.addDecimal(events.decimal(place), toSumAt: slot)
    case .squaresInteger: row.addSquare(events.integer(place), at: slot)
    case .squaresDouble: row.addSquare(events.double(place), at: slot)
    case .minimumDecimal: row.keepLess(events.decimal(place), at: slot, isFirst: isFirst)
    case .maximumDecimal: row.keepGreater(events.decimal(place), at: slot, isFirst: isFirst)
    case .minimumText: row.keepText(events.text(place), at: slot, isFirst: isFirst, wantsGreater: false)
    case .maximumText: row.keepText(events.text(place), at: slot, isFirst: isFirst, wantsGreater: true)
    case .firstWord, .lastWord:
      guard takesPosition(row, slot, plan.kind == .lastWord, isFirst, event) else { return }
      row.setPosition(event, at: slot)
      row.store(events.integer(place), at: slot + PositionedSlot.value)
    case .firstDecimal, .lastDecimal:
      guard takesPosition(row, slot, plan.kind == .lastDecimal, isFirst, event) else { return }
      row.setPosition(event, at: slot)
      row.store(events.decimal(place), at: slot + PositionedSlot.value)
    case .firstText, .lastText:
      guard takesPosition(row, slot, plan.kind == .lastText, isFirst, event) else { return }
      row.setPosition(event, at: slot)
      row.setBlock(referredFrom: slot + PositionedSlot.block, to: events.text(place))
    default: break
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
