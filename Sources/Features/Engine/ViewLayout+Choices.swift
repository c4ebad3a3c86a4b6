internal import Columns

// Features that are one or some of the values that were seen.
extension ViewLayout {
  func extreme(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    switch feature.slot?.kind {
    case .minimumDecimal, .maximumDecimal:
      let found: Int128? = extremeNumber(row, feature, cells)
      return found.map { .decimal(unscaled: $0, scale: feature.scale) } ?? .null
    case .minimumText, .maximumText:
      return extremeText(row, feature, cells)
    case .minimumDouble, .maximumDouble:
      let found: Int64? = extremeNumber(row, feature, cells)
      return found.map { .double(OrderedDouble.value($0)) } ?? .null
    default:
      let found: Int64? = extremeNumber(row, feature, cells)
      return found.map { Value(word: UInt64(bitPattern: $0), feature.type.element) } ?? .null
    }
  }

  private func extremeNumber<Number: FixedWidthInteger & BitwiseCopyable>(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange
  ) -> Number? {
    let wantsGreater = feature.function == .maximum
    var found: Number?
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let value: Number = row.load(cells[cell] + feature.slotOffset)
      if let best = found, wantsGreater ? value <= best : value >= best { continue }
      found = value
    }
    return found
  }

  private func extremeText(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    let wantsGreater = feature.function == .maximum
    var best: UInt32?
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let block: UInt32 = row.load(cells[cell] + feature.slotOffset)
      if let best {
        let order = ByteOrder.compare(row.blockBytes(block), row.blockBytes(best))
        if wantsGreater ? order <= 0 : order >= 0 { continue }
      }
      best = block
    }
    return best.map { Value(row.blockBytes($0), feature.type.element) } ?? .null
  }

  func positioned(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    var found = -1
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let slot = cells[cell] + feature.slotOffset
      let isBetter =
        found < 0
        || (feature.function == .last
          ? row.order(at: found) < row.order(at: slot) : row.order(at: slot) < row.order(at: found))
      if isBetter { found = slot }
    }
    guard found >= 0 else { return .null }
    switch feature.slot?.kind {
    case .firstText, .lastText:
      return Value(row.blockBytes(row.load(found + PositionedSlot.block)), feature.type.element)
    case .firstDecimal, .lastDecimal:
      return .decimal(unscaled: row.load(found + PositionedSlot.value), scale: feature.scale)
    default:
      return Value(word: row.load(found + PositionedSlot.value), feature.type.element)
    }
  }

  /// The newest values first.
  func newest(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, _ most: Int) -> Value {
    guard let slot = feature.slot else { return .null }
    let entryBytes = PositionedSlot.entryBytes(slot.representation)
    var values: [Value] = []
    // Every event of a tile is newer than all events of the tiles before it.
    for cell in (0..<cells.count).reversed() {
      let block: UInt32 = row.load(cells[cell] + slot.offset)
      var entry = row.payload(block) + row.blockLength(block)
      while entry > row.payload(block), values.count < most {
        entry -= entryBytes
        values.append(value(row, entry, slot, feature, block: PositionedSlot.block, word: PositionedSlot.value))
      }
    }
    return .list(values)
  }

  /// The most frequent values first; the lesser of two that are equally frequent.
  func mostFrequent(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, _ most: Int, _ flags: inout FeatureFlags
  ) -> Value {
    guard let slot = feature.slot else { return .null }
    let table = merged(row, feature, cells)
    let isApproximate = table.isApproximate(Self.mergedSlot)
    if isApproximate { flags.insert(.approximate) }
    let entryBytes = FrequencyTable.entryBytes(slot.representation)
    var found: [(count: UInt64, value: Value)] = []
    for index in 0..<table.candidateCount(Self.mergedSlot) {
      let entry = table.entries(Self.mergedSlot) + index * entryBytes
      let count: UInt64 =
        isApproximate
        ? table.estimatedCount(table.load(entry), at: Self.mergedSlot) : table.load(entry + FrequencyTable.Entry.count)
      let place = FrequencyTable.Entry.value
      found.append((count, value(table, entry, slot, feature, block: place, word: place)))
    }
    found.sort { $0.count != $1.count ? $0.count > $1.count : $0.value.precedes($1.value) }
    return .list(found.prefix(most).map(\.value))
  }

  private func value(
    _ row: borrowing FeatureRow, _ entry: Int, _ slot: SlotPlan, _ feature: FeaturePlan, block: Int, word: Int
  ) -> Value {
    switch slot.representation {
    case .integer, .double: Value(word: row.load(entry + word), feature.type.element)
    case .decimal: .decimal(unscaled: row.load(entry + word), scale: feature.scale)
    case .text: Value(row.blockBytes(row.load(entry + block)), feature.type.element)
    }
  }

  /// Where `merged` has its slot.
  static let mergedSlot = FeatureRow.HeaderOffset.directory

  /// The slots of some cells in one: a row that has nothing else.
  func merged(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> FeatureRow {
    var result = FeatureRow(zeroed: Self.mergedSlot + 8, capacity: 512)
    guard let slot = feature.slot else { return result }
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      merge(&result, slot: Self.mergedSlot, row, cells[cell] + slot.offset, slot, isFirst: false)
    }
    return result
  }
}

extension Value {
  /// The order of values of one type.
  fileprivate func precedes(_ other: Value) -> Bool {
    switch (self, other) {
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.integer(let left), .integer(let right)), (.timestamp(let left), .timestamp(let right)),
      (.date(let left), .date(let right)):
      left < right
    case (.double(let left), .double(let right)): OrderedDouble.key(left) < OrderedDouble.key(right)
    case (.decimal(let left, _), .decimal(let right, _)): left < right
    case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
  }
}
