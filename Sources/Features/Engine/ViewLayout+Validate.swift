package import Core

extension ViewLayout {
  /// Checks every offset in a row, once, so that nothing that reads it later can leave it.
  ///
  /// - Throws: `ROW_CORRUPT`, or `ROW_OF_OTHER_LAYOUT` when the view's definition changed.
  func validate(_ row: borrowing FeatureRow) throws(HeadraceError) {
    let header = FeatureRow.headerBytes(regionCount: regions.count)
    guard row.byteCount >= header, row.byteCount % 8 == 0 else { throw Self.corrupt("\(row.byteCount) bytes") }
    let version: UInt8 = row.load(FeatureRow.HeaderOffset.version)
    guard version == FeatureRow.formatVersion else { throw Self.corrupt("format version \(version)") }
    guard row.layoutTag == layoutTag, row.load(FeatureRow.HeaderOffset.regionCount, as: UInt16.self) == regions.count
    else {
      throw HeadraceError(
        .internal, "ROW_OF_OTHER_LAYOUT", "the row was made for another definition of view `\(definition.name)`")
    }
    for index in regions.indices { try validate(row, region: index, header: header) }
  }

  private func validate(_ row: borrowing FeatureRow, region index: Int, header: Int) throws(HeadraceError) {
    let plan = regions[index]
    let (start, count, capacity) = (row.regionStart(index), row.cellCount(index), row.cellCapacity(index))
    guard capacity > 0 || count > 0 else { return }
    guard start >= header, start % 8 == 0, count <= capacity, capacity <= row.byteCount / plan.cellBytes,
      start + capacity * plan.cellBytes <= row.byteCount
    else { throw Self.corrupt("region \(index): \(count) of \(capacity) cells at \(start)") }
    for position in 0..<count {
      let cell = start + position * plan.cellBytes
      guard position == 0 || isOrdered(row, cell - plan.cellBytes, cell, plan) else {
        throw Self.corrupt("region \(index): cells out of order")
      }
      try validateBlocks(row, cell, plan)
    }
  }

  private func isOrdered(_ row: borrowing FeatureRow, _ first: Int, _ second: Int, _ plan: RegionPlan) -> Bool {
    switch plan.kind {
    case .tiles, .lifetime: row.load(first, as: Int64.self) < row.load(second, as: Int64.self)
    case .sessions: row.load(first + Self.sessionEnd, as: Int64.self) < row.load(second, as: Int64.self)
    case .events: row.load(first, as: Int64.self) <= row.load(second, as: Int64.self)
    }
  }

  private func validateBlocks(_ row: borrowing FeatureRow, _ cell: Int, _ plan: RegionPlan) throws(HeadraceError) {
    var isSound = true
    forEachReference(inCell: cell, plan) { place, slot in
      if isSound { isSound = self.isSound(row, reference: place, slot) }
    }
    guard isSound else { throw Self.corrupt("a slot refers to what is not there") }
  }

  private func isSound(_ row: borrowing FeatureRow, reference: Int, _ plan: SlotPlan) -> Bool {
    let block: UInt32 = row.load(reference)
    return block == 0 || isBlock(row, block)
  }

  func isBlock(_ row: borrowing FeatureRow, _ block: UInt32) -> Bool {
    let start = Int(block)
    guard start % 8 == 0, start >= FeatureRow.headerBytes(regionCount: regions.count),
      start + FeatureRow.blockHeaderBytes <= row.byteCount
    else { return false }
    let capacity = row.blockCapacity(block)
    return capacity % 8 == 0 && row.payload(block) + capacity <= row.byteCount && row.blockLength(block) <= capacity
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
    try layout.validate(self)
  }
}
