package import Core

extension ViewLayout {
  /// Checks every offset in a row, once, so that nothing that reads it later can leave it.
  ///
  /// - Parameter taken: a buffer that may be used again for the next row.
  /// - Throws: `ROW_CORRUPT`, or `ROW_OF_OTHER_LAYOUT` when the view's definition changed.
  func validate(_ row: borrowing FeatureRow, _ taken: inout [Range<Int>]) throws(HeadraceError) {
    let header = FeatureRow.headerBytes(regionCount: regions.count)
    guard row.byteCount >= header, row.byteCount % 8 == 0 else { throw Self.corrupt("\(row.byteCount) bytes") }
    let version: UInt8 = row.load(FeatureRow.HeaderOffset.version)
    guard version == FeatureRow.formatVersion else { throw Self.corrupt("format version \(version)") }
    guard row.layoutTag == layoutTag, row.load(FeatureRow.HeaderOffset.regionCount, as: UInt16.self) == regions.count
    else {
      throw HeadraceError(
        .internal, "ROW_OF_OTHER_LAYOUT", "the row was made for another definition of view `\(definition.name)`")
    }
    taken.removeAll(keepingCapacity: true)
    for index in regions.indices { try validate(row, region: index, header: header, &taken) }
    // Nothing may be written through two references.
    taken.sort { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(taken, taken.dropFirst()) where first.upperBound > second.lowerBound {
      throw Self.corrupt("blocks overlap at \(second.lowerBound)")
    }
  }

  private func validate(
    _ row: borrowing FeatureRow, region index: Int, header: Int, _ taken: inout [Range<Int>]
  ) throws(HeadraceError) {
    let plan = regions[index]
    let (start, count, capacity) = (row.regionStart(index), row.cellCount(index), row.cellCapacity(index))
    guard capacity > 0 || count > 0 else { return }
    guard start >= header, start % 8 == 0, count <= capacity, capacity <= row.byteCount / plan.cellBytes,
      start + capacity * plan.cellBytes <= row.byteCount
    else { throw Self.corrupt("region \(index): \(count) of \(capacity) cells at \(start)") }
    taken.append(start..<start + capacity * plan.cellBytes)
    for position in 0..<count {
      let cell = start + position * plan.cellBytes
      guard position == 0 || isOrdered(row, cell - plan.cellBytes, cell, plan) else {
        throw Self.corrupt("region \(index): cells out of order")
      }
      try validateBlocks(row, cell, plan, &taken)
    }
  }

  private func isOrdered(_ row: borrowing FeatureRow, _ first: Int, _ second: Int, _ plan: RegionPlan) -> Bool {
    switch plan.kind {
    case .tiles, .lifetime: row.load(first, as: Int64.self) < row.load(second, as: Int64.self)
    case .sessions: row.load(first + Self.sessionEnd, as: Int64.self) < row.load(second, as: Int64.self)
    case .events: row.load(first, as: Int64.self) <= row.load(second, as: Int64.self)
    }
  }

  private func validateBlocks(
    _ row: borrowing FeatureRow, _ cell: Int, _ plan: RegionPlan, _ taken: inout [Range<Int>]
  ) throws(HeadraceError) {
    var isSound = true
    forEachReference(inCell: cell, plan) { place, slot in
      if isSound { isSound = self.isSound(row, reference: place, slot, &taken) }
    }
    guard isSound else { throw Self.corrupt("a slot refers to what is not there") }
  }

  private func isSound(
    _ row: borrowing FeatureRow, reference: Int, _ plan: SlotPlan, _ taken: inout [Range<Int>]
  ) -> Bool {
    if let format = plan.kind.limbFormat {
      guard isSoundWindow(row, reference - format.blockOffset, format) else { return false }
    }
    let block: UInt32 = row.load(reference)
    guard block != 0 else { return true }
    guard takeBlock(row, block, &taken), hasSoundLength(row, block, plan) else { return false }
    for place in nestedReferences(row, block, plan) {
      let nested: UInt32 = row.load(place)
      guard nested == 0 || takeBlock(row, nested, &taken) else { return false }
    }
    return true
  }

  private func isSoundWindow(_ row: borrowing FeatureRow, _ slot: Int, _ format: LimbFormat) -> Bool {
    let block: UInt32 = row.load(slot + format.blockOffset)
    if row.limbFlags(slot, format) & LimbFormat.Flags.spilled != 0 {
      return block != 0 && row.load(slot + format.baseOffset, as: UInt16.self) == .max
    }
    let base = row.windowBase(slot, format)
    return block == 0
      && (base < 0 || base >= format.fullRange.lowerBound && base + format.inlineLimbs <= format.fullRange.upperBound)
  }

  /// Whether a block is as long as what its slot keeps there.
  private func hasSoundLength(_ row: borrowing FeatureRow, _ block: UInt32, _ plan: SlotPlan) -> Bool {
    let length = row.blockLength(block)
    if let format = plan.kind.limbFormat { return length == format.fullRange.count * 8 }
    switch plan.kind {
    case .lastK: return length % PositionedSlot.entryBytes(plan.representation) == 0
    case .distinct: return length % 8 == 0 && length <= DistinctSet.registerCount
    case .quantiles: return length % 8 == 0
    case .frequencies:
      guard length >= FrequencyTable.headerBytes else { return false }
      let entries = Int(row.load(row.payload(block), as: UInt32.self))
      let isApproximate = row.load(row.payload(block) + FrequencyTable.isApproximate, as: UInt32.self) != 0
      let counters = isApproximate ? FrequencyTable.countersBytes : 0
      return entries <= FrequencyTable.exactLimit
        && length == FrequencyTable.headerBytes + entries * FrequencyTable.entryBytes(plan.representation) + counters
    default: return true
    }
  }

  /// Notes a block's place, if it is one.
  private func takeBlock(_ row: borrowing FeatureRow, _ block: UInt32, _ taken: inout [Range<Int>]) -> Bool {
    let start = Int(block)
    guard start % 8 == 0, start >= FeatureRow.headerBytes(regionCount: regions.count),
      start + FeatureRow.blockHeaderBytes <= row.byteCount
    else { return false }
    let end = row.payload(block) + row.blockCapacity(block)
    guard end <= row.byteCount, row.blockLength(block) <= row.blockCapacity(block) else { return false }
    taken.append(start..<end)
    return true
  }

  static func corrupt(_ found: String) -> HeadraceError {
    HeadraceError(
      .external, "ROW_CORRUPT", "a feature row is not what was written: \(found)",
      remedy: "restore the task's state from a snapshot, or rebuild the view")
  }
}

extension FeatureRow {
  /// A row from bytes that were stored or sent.
  ///
  /// - Throws: `ROW_CORRUPT`, `ROW_OF_OTHER_LAYOUT`.
  package init(copying bytes: borrowing RawSpan, _ layout: ViewLayout) throws(HeadraceError) {
    self.init(uncheckedCopying: bytes)
    var taken: [Range<Int>] = []
    try layout.validate(self, &taken)
  }
}

/// A row that takes the bytes of one stored or sent row after the other, without an allocation for each.
package struct ReceivedRow: ~Copyable {
  package private(set) var row: FeatureRow
  private var taken: [Range<Int>] = []

  package init(_ layout: ViewLayout) { row = FeatureRow(layout) }

  /// - Throws: `ROW_CORRUPT`, `ROW_OF_OTHER_LAYOUT`; what the row holds then must not be used.
  package mutating func receive(_ bytes: borrowing RawSpan, _ layout: ViewLayout) throws(HeadraceError) {
    row.replaceUnchecked(by: bytes)
    try layout.validate(row, &taken)
  }
}
