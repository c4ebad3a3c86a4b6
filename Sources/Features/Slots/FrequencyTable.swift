/// `topk`: how often each value occurred, exact while there are few values.
///
/// Block: a count of entries, whether it is approximate, the greatest seed; counters if approximate; entries sorted by
/// hash.
///
/// Up to `exactLimit` distinct values every one has an entry with its count. Beyond, the counts of all values are added
/// up in a count-min sketch (Cormode, Muthukrishnan 2005), which is linear, and the entries become candidates: those
/// values whose seeds, the least random number of any of their events, are the smallest. A frequent value draws often
/// and so is a candidate all but surely. Both parts are functions of the set of events: nothing depends on order, which
/// would not hold for counters that evict each other (Misra–Gries, Space-Saving).
enum FrequencyTable {
  static let exactLimit = 256
  static let headerBytes = 16
  static let isApproximate = 4
  static let greatestSeed = 8
  static let counterRows = 4
  /// An estimate exceeds the true count by more than 5.4 ‰ of all events with a probability below 2 %.
  static let countersPerRow = 512
  static var countersBytes: Int { counterRows * countersPerRow * 8 }

  enum Entry {
    static let hash = 0
    static let count = 8
    static let seed = 16
    /// The value, or the block of a text.
    static let value = 24
  }

  static func entryBytes(_ representation: Representation) -> Int {
    Entry.value + (representation == .decimal ? 16 : 8)
  }

  /// The length of a block that is approximate and full.
  static func mostBytes(_ representation: Representation) -> Int {
    headerBytes + countersBytes + exactLimit * entryBytes(representation)
  }

  /// Where entries begin in a block.
  static func entriesOffset(isApproximate: UInt32) -> Int { headerBytes + (isApproximate != 0 ? countersBytes : 0) }

  /// The counter of a hash in a row.
  static func counter(_ hash: UInt64, _ row: Int) -> Int {
    row * countersPerRow + Int(truncatingIfNeeded: hash >> UInt64(row * 16)) & (countersPerRow - 1)
  }

  static func seed(_ hash: UInt64, _ order: EventOrder) -> UInt64 {
    let position = ValueHash.hash(UInt64(bitPattern: order.offset) ^ UInt64(UInt32(bitPattern: order.partition)) << 40)
    return ValueHash.hash(position ^ hash)
  }
}

/// Occurrences of a value that are added to a table.
struct Occurrences {
  var hash: UInt64
  var count: UInt64
  var seed: UInt64
}

extension FeatureRow {
  /// Adds occurrences of a value.
  ///
  /// - Returns: where the value must be written, if an entry was made for it; -1 otherwise.
  mutating func addFrequency(_ added: Occurrences, at slot: Int, _ representation: Representation) -> Int {
    if load(slot, as: UInt32.self) == 0 { _ = resizeBlock(referredFrom: slot, length: FrequencyTable.headerBytes) }
    if isApproximate(slot) { count(added, at: slot) }
    return addCandidate(added, at: slot, representation)
  }

  /// The value's entry grows, or gets made, or drives another one out.
  mutating func addCandidate(_ added: Occurrences, at slot: Int, _ representation: Representation) -> Int {
    let entryBytes = FrequencyTable.entryBytes(representation)
    let place = entriesBelow(added.hash, at: slot, representation)
    let entry = entries(slot) + place * entryBytes
    if place < candidateCount(slot), load(entry, as: UInt64.self) == added.hash {
      let count: UInt64 = load(entry + FrequencyTable.Entry.count)
      let seed: UInt64 = load(entry + FrequencyTable.Entry.seed)
      store(count &+ added.count, at: entry + FrequencyTable.Entry.count)
      if added.seed < seed {
        store(added.seed, at: entry + FrequencyTable.Entry.seed)
        let greatest: UInt64 = load(payload(load(slot)) + FrequencyTable.greatestSeed)
        if seed == greatest { findGreatestSeed(at: slot, representation) }
      }
      return -1
    }
    if candidateCount(slot) == FrequencyTable.exactLimit {
      if !isApproximate(slot) {
        makeApproximate(slot, representation)
        count(added, at: slot)
      }
      guard removeGreatestSeed(above: added.seed, at: slot, representation) else { return -1 }
    }
    return insertCandidate(added, at: slot, representation)
  }

  private mutating func insertCandidate(_ added: Occurrences, at slot: Int, _ representation: Representation) -> Int {
    let entryBytes = FrequencyTable.entryBytes(representation)
    let place = entriesBelow(added.hash, at: slot, representation)
    let length = blockLength(load(slot))
    let count = candidateCount(slot)
    let start = resizeBlock(
      referredFrom: slot, length: length + entryBytes, most: FrequencyTable.mostBytes(representation))
    let entry = entries(slot) + place * entryBytes
    move(from: entry, to: entry + entryBytes, count: (count - place) * entryBytes)
    clear(at: entry, count: entryBytes)
    store(UInt32(count + 1), at: start)
    store(added.hash, at: entry)
    store(added.count, at: entry + FrequencyTable.Entry.count)
    store(added.seed, at: entry + FrequencyTable.Entry.seed)
    if added.seed > load(start + FrequencyTable.greatestSeed, as: UInt64.self) {
      store(added.seed, at: start + FrequencyTable.greatestSeed)
    }
    return entry + FrequencyTable.Entry.value
  }

  /// Takes out the entry with the greatest seed if that is greater than `seed`.
  private mutating func removeGreatestSeed(above seed: UInt64, at slot: Int, _ representation: Representation) -> Bool {
    let entryBytes = FrequencyTable.entryBytes(representation)
    let start = payload(load(slot))
    let greatest: UInt64 = load(start + FrequencyTable.greatestSeed)
    guard seed < greatest else { return false }
    let count = candidateCount(slot)
    let first = entries(slot)
    guard
      let victim = (0..<count).first(where: {
        load(first + $0 * entryBytes + FrequencyTable.Entry.seed, as: UInt64.self) == greatest
      })
    else { return false }
    let entry = first + victim * entryBytes
    if representation == .text { releaseBlock(load(entry + FrequencyTable.Entry.value)) }
    move(from: entry + entryBytes, to: entry, count: (count - victim - 1) * entryBytes)
    store(UInt32(count - 1), at: start)
    setBlockLength(load(slot), blockLength(load(slot)) - entryBytes)
    findGreatestSeed(at: slot, representation)
    return true
  }

  private mutating func findGreatestSeed(at slot: Int, _ representation: Representation) {
    let entryBytes = FrequencyTable.entryBytes(representation)
    let start = payload(load(slot))
    var greatest: UInt64 = 0
    for entry in 0..<candidateCount(slot) {
      let place = entries(slot) + entry * entryBytes + FrequencyTable.Entry.seed
      greatest = max(greatest, load(place))
    }
    store(greatest, at: start + FrequencyTable.greatestSeed)
  }

  private func entriesBelow(_ hash: UInt64, at slot: Int, _ representation: Representation) -> Int {
    let entryBytes = FrequencyTable.entryBytes(representation)
    let start = entries(slot)
    var (low, high) = (0, candidateCount(slot))
    while low < high {
      let middle = (low + high) / 2
      let found: UInt64 = load(start + middle * entryBytes)
      if found < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
