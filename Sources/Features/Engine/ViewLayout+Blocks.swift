// Blocks of cells: who refers to them, and moving them between rows.
extension ViewLayout {
  /// Calls `body` with the offset of every reference to a block in a cell, with the slot that it belongs to.
  @inline(__always)
  func forEachReference(inCell cell: Int, _ region: RegionPlan, _ body: (Int, SlotPlan) -> Void) {
    guard region.hasBlocks else { return }
    for group in region.groups {
      for index in groups[group].slots {
        let plan = slots[index]
        switch plan.kind {
        case .sumDouble, .sumDecimal: body(cell + plan.offset + LimbFormat.sum.blockOffset, plan)
        case .squaresInteger, .squaresDouble: body(cell + plan.offset + LimbFormat.squares.blockOffset, plan)
        case .decayed:
          body(cell + plan.offset + LimbFormat.sum.blockOffset, plan)
          body(cell + plan.offset + LimbFormat.sum.sizeBytes + LimbFormat.sum.blockOffset, plan)
        case .firstText, .lastText: body(cell + plan.offset + PositionedSlot.block, plan)
        case .minimumText, .maximumText, .lastK, .distinct, .quantiles, .frequencies: body(cell + plan.offset, plan)
        default: break
        }
      }
    }
  }

  /// Counts the blocks of some cells as waste.
  func releaseBlocks(_ row: inout FeatureRow, _ index: Int, _ cells: Range<Int>) {
    let region = regions[index]
    guard region.hasBlocks else { return }
    for position in cells {
      var wasted = 0
      forEachReference(inCell: row.regionStart(index) + position * region.cellBytes, region) { place, plan in
        wasted += blockBytes(row, place, plan)
      }
      row.wastedBytes += wasted
    }
  }

  /// What the blocks behind a reference take.
  private func blockBytes(_ row: borrowing FeatureRow, _ place: Int, _ plan: SlotPlan) -> Int {
    let block: UInt32 = row.load(place)
    guard block != 0 else { return 0 }
    var bytes = FeatureRow.blockHeaderBytes + row.blockCapacity(block)
    for entry in nestedReferences(row, block, plan) {
      let nested: UInt32 = row.load(entry)
      if nested != 0 { bytes += FeatureRow.blockHeaderBytes + row.blockCapacity(nested) }
    }
    return bytes
  }

  /// The references that lie in a block: the texts of lists and tables.
  func nestedReferences(_ row: borrowing FeatureRow, _ block: UInt32, _ plan: SlotPlan) -> StrideTo<Int> {
    let start = row.payload(block)
    let isList = plan.kind == .lastK
    guard plan.representation == .text, isList || plan.kind == .frequencies else {
      return stride(from: start, to: start, by: 1)
    }
    if isList {
      return stride(
        from: start + PositionedSlot.block, to: start + row.blockLength(block),
        by: PositionedSlot.entryBytes(.text))
    }
    let first = start + FrequencyTable.entriesOffset(isApproximate: row.load(start + FrequencyTable.isApproximate))
    let entryBytes = FrequencyTable.entryBytes(.text)
    let end = first + Int(row.load(start, as: UInt32.self)) * entryBytes
    return stride(from: first + FrequencyTable.Entry.value, to: end, by: entryBytes)
  }

  /// Copies the slots of a cell, and the blocks that they refer to, over a zeroed cell of another row.
  func copySlots(_ row: inout FeatureRow, cell: Int, _ other: borrowing FeatureRow, otherCell: Int, _ index: Int) {
    let region = regions[index]
    row.copy(
      other, from: otherCell + region.keyBytes, to: cell + region.keyBytes, count: region.cellBytes - region.keyBytes)
    forEachReference(inCell: 0, region) { place, plan in
      let block: UInt32 = other.load(otherCell + place)
      row.store(block == 0 ? 0 : copyBlock(&row, other, block, plan), at: cell + place)
    }
  }

  private func copyBlock(
    _ row: inout FeatureRow, _ other: borrowing FeatureRow, _ block: UInt32, _ plan: SlotPlan
  ) -> UInt32 {
    let length = other.blockLength(block)
    let copied = row.allocateBlock(length: length, capacity: 0)
    row.copy(other, from: other.payload(block), to: row.payload(copied), count: length)
    for entry in nestedReferences(other, block, plan) {
      let nested: UInt32 = other.load(entry)
      guard nested != 0 else { continue }
      let nestedLength = other.blockLength(nested)
      let target = row.allocateBlock(length: nestedLength, capacity: 0)
      row.copy(other, from: other.payload(nested), to: row.payload(target), count: nestedLength)
      row.store(target, at: row.payload(copied) + entry - other.payload(block))
    }
    return copied
  }

  /// Waste that is not worth a compaction.
  private static let toleratedWasteBytes = 512

  /// Moves a row together when a third of it is waste.
  @inline(__always)
  func compactIfWasteful(_ row: inout FeatureRow) {
    let wasted = row.wastedBytes
    if wasted > Self.toleratedWasteBytes, wasted > row.byteCount / 3 { row = compacted(row) }
  }

  /// The same state without waste.
  func compacted(_ row: borrowing FeatureRow) -> FeatureRow {
    // Room for everything at once, and for what comes next.
    var result = FeatureRow(self, capacity: (row.byteCount - min(row.wastedBytes, row.byteCount)) * 5 / 4)
    for index in regions.indices {
      let plan = regions[index]
      for position in 0..<row.cellCount(index) {
        let source = row.regionStart(index) + position * plan.cellBytes
        // One step to the full size: the row holds as many cells as it will.
        let cell = result.insertCell(
          index, at: position, cellBytes: plan.cellBytes, usualCount: max(plan.usualCount, row.cellCount(index)))
        result.copy(row, from: source, to: cell, count: plan.keyBytes)
      }
    }
    for index in regions.indices {
      let plan = regions[index]
      for position in 0..<row.cellCount(index) {
        let offset = position * plan.cellBytes
        copySlots(
          &result, cell: result.regionStart(index) + offset, row, otherCell: row.regionStart(index) + offset, index)
      }
    }
    result.newestEventTime = row.newestEventTime
    result.wastedBytes = 0
    return result
  }
}
