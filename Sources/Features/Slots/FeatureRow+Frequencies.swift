// `topk` as a whole: merging, the counters of an approximate table, and what is read.
extension FeatureRow {
  func isApproximate(_ slot: Int) -> Bool {
    let block: UInt32 = load(slot)
    return block != 0 && load(payload(block) + FrequencyTable.isApproximate, as: UInt32.self) != 0
  }

  /// Puts counters in front of the entries and counts what these hold so far.
  mutating func makeApproximate(_ slot: Int, _ representation: Representation) {
    let exact: UInt32 = load(slot)
    let length = blockLength(exact) + FrequencyTable.countersBytes
    let block = allocateBlock(length: length, capacity: 0)
    store(block, at: slot)
    move(from: payload(exact), to: payload(block), count: FrequencyTable.headerBytes)
    store(1 as UInt32, at: payload(block) + FrequencyTable.isApproximate)
    move(
      from: payload(exact) + FrequencyTable.headerBytes, to: entries(slot),
      count: blockLength(exact) - FrequencyTable.headerBytes)
    releaseBlock(exact)
    for entry in 0..<candidateCount(slot) {
      let place = entries(slot) + entry * FrequencyTable.entryBytes(representation)
      count(Occurrences(hash: load(place), count: load(place + FrequencyTable.Entry.count), seed: 0), at: slot)
    }
  }

  /// Where the entries of a table begin.
  func entries(_ slot: Int) -> Int {
    let start = payload(load(slot))
    return start + FrequencyTable.entriesOffset(isApproximate: load(start + FrequencyTable.isApproximate))
  }

  func counters(_ slot: Int) -> Int { payload(load(slot)) + FrequencyTable.headerBytes }

  mutating func count(_ added: Occurrences, at slot: Int) {
    let counters = counters(slot)
    for row in 0..<FrequencyTable.counterRows {
      let place = counters + FrequencyTable.counter(added.hash, row) * 8
      store(load(place, as: UInt64.self) &+ added.count, at: place)
    }
  }

  func estimatedCount(_ hash: UInt64, at slot: Int) -> UInt64 {
    let counters = counters(slot)
    var least = UInt64.max
    for row in 0..<FrequencyTable.counterRows {
      least = min(least, load(counters + FrequencyTable.counter(hash, row) * 8))
    }
    return least
  }

  func candidateCount(_ slot: Int) -> Int {
    let block: UInt32 = load(slot)
    return block == 0 ? 0 : Int(load(payload(block), as: UInt32.self))
  }

  /// Adds all that another table has counted.
  mutating func mergeFrequencies(
    at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int, _ representation: Representation
  ) {
    let isApproximate = other.isApproximate(otherSlot)
    if isApproximate { addCounters(of: other, otherSlot, at: slot, representation) }
    let entryBytes = FrequencyTable.entryBytes(representation)
    for entry in 0..<other.candidateCount(otherSlot) {
      let source = other.entries(otherSlot) + entry * entryBytes
      let added = Occurrences(
        hash: other.load(source), count: other.load(source + FrequencyTable.Entry.count),
        seed: other.load(source + FrequencyTable.Entry.seed))
      let place =
        isApproximate
        ? addCandidate(added, at: slot, representation) : addFrequency(added, at: slot, representation)
      guard place >= 0 else { continue }
      let value = source + FrequencyTable.Entry.value
      switch representation {
      case .integer, .double: store(other.load(value, as: Int64.self), at: place)
      case .decimal: store(other.load(value, as: Int128.self), at: place)
      case .text: setBlock(referredFrom: place, to: other.blockBytes(other.load(value)))
      }
    }
  }

  private mutating func addCounters(
    of other: borrowing FeatureRow, _ otherSlot: Int, at slot: Int, _ representation: Representation
  ) {
    if load(slot, as: UInt32.self) == 0 { _ = resizeBlock(referredFrom: slot, length: FrequencyTable.headerBytes) }
    if !isApproximate(slot) { makeApproximate(slot, representation) }
    let (target, source) = (counters(slot), other.counters(otherSlot))
    for offset in stride(from: 0, to: FrequencyTable.countersBytes, by: 8) {
      store(load(target + offset, as: UInt64.self) &+ other.load(source + offset, as: UInt64.self), at: target + offset)
    }
  }

  /// Counts the value of an event.
  mutating func addFrequency(
    _ representation: Representation, at slot: Int, _ events: borrowing EventBlock, _ place: Int, _ order: EventOrder
  ) {
    let hash = events.hash(representation, place)
    let added = Occurrences(hash: hash, count: 1, seed: FrequencyTable.seed(hash, order))
    let target = addFrequency(added, at: slot, representation)
    guard target >= 0 else { return }
    switch representation {
    case .integer: store(events.integer(place), at: target)
    // Of values that count as equal one stands for all, so that it does not matter which came first.
    case .double: store(ValueHash.canonical(events.double(place)).bitPattern, at: target)
    case .decimal: store(events.decimal(place), at: target)
    case .text: setBlock(referredFrom: target, to: events.text(place))
    }
  }
}
