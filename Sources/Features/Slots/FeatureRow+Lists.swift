// `last_k`: a block of entries in the form of a positioned slot, in ascending order, the oldest leaves.
extension FeatureRow {
  /// Room for an event in a list of at most `limit`.
  ///
  /// - Returns: where its entry is; -1 when all entries are newer.
  mutating func insertEntry(
    _ order: EventOrder, inListAt slot: Int, _ representation: Representation, limit: Int
  ) -> Int {
    let entryBytes = PositionedSlot.entryBytes(representation)
    let block: UInt32 = load(slot)
    let count = blockLength(block) / entryBytes
    var place = count
    while place > 0, order < self.order(at: payload(block) + (place - 1) * entryBytes) { place -= 1 }
    if count >= limit {
      guard place > 0 else { return -1 }
      let start = payload(block)
      if representation == .text { releaseBlock(load(start + PositionedSlot.block)) }
      move(from: start + entryBytes, to: start, count: (place - 1) * entryBytes)
      place -= 1
    } else {
      let start = resizeBlock(referredFrom: slot, length: (count + 1) * entryBytes, most: limit * entryBytes)
      let entry = start + place * entryBytes
      move(from: entry, to: entry + entryBytes, count: (count - place) * entryBytes)
    }
    let entry = payload(load(slot)) + place * entryBytes
    clear(at: entry, count: entryBytes)
    setOrder(order, at: entry)
    return entry
  }

  /// Takes the entries of another list.
  mutating func mergeList(
    at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int, _ representation: Representation, limit: Int
  ) {
    let entryBytes = PositionedSlot.entryBytes(representation)
    let block: UInt32 = other.load(otherSlot)
    let start = other.payload(block)
    for offset in stride(from: 0, to: other.blockLength(block), by: entryBytes) {
      let source = start + offset
      let entry = insertEntry(other.order(at: source), inListAt: slot, representation, limit: limit)
      if entry >= 0 { copyValue(representation, to: entry, other, from: source) }
    }
  }

  /// Copies the value of a positioned slot or entry.
  mutating func copyValue(
    _ representation: Representation, to entry: Int, _ other: borrowing FeatureRow, from source: Int
  ) {
    switch representation {
    case .integer, .double:
      store(other.load(source + PositionedSlot.value, as: Int64.self), at: entry + PositionedSlot.value)
    case .decimal:
      store(other.load(source + PositionedSlot.value, as: Int128.self), at: entry + PositionedSlot.value)
    case .text:
      let text = other.blockBytes(other.load(source + PositionedSlot.block))
      setBlock(referredFrom: entry + PositionedSlot.block, to: text)
    }
  }

  /// Writes the value of an event into a positioned slot or entry.
  mutating func setValue(
    _ representation: Representation, at entry: Int, _ events: borrowing EventBlock, _ place: Int
  ) {
    switch representation {
    case .integer, .double: store(events.integer(place), at: entry + PositionedSlot.value)
    case .decimal: store(events.decimal(place), at: entry + PositionedSlot.value)
    case .text: setBlock(referredFrom: entry + PositionedSlot.block, to: events.text(place))
    }
  }
}

extension PositionedSlot {
  static func entryBytes(_ representation: Representation) -> Int {
    switch representation {
    case .integer, .double: value + 8
    case .decimal: value + 16
    case .text: value
    }
  }
}
