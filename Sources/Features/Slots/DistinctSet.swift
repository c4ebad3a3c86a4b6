/// `count_distinct`: the set of the values' 64-bit hashes, exact while it is small, then HyperLogLog.
///
/// The form is a function of the set alone: up to `exactLimit` hashes a sorted array, above that the registers of all
/// of them. Neither arrival order nor merging can leave a trace. An exact set never takes more room than registers
/// would.
enum DistinctSet {
  static let exactLimit = 511
  /// 2^12 registers: a standard error of 1.04 / √4096 = 1.6 %.
  static let precision: UInt64 = 12
  static let registerCount = 1 << 12

  /// The register of a hash, and what it would hold at least.
  static func register(_ hash: UInt64) -> (index: Int, rank: UInt8) {
    let index = Int(hash >> (64 - precision))
    // The guard bit bounds the rank when all other bits are zero.
    let rest = hash << precision | 1 << (precision - 1)
    return (index, UInt8(rest.leadingZeroBitCount + 1))
  }

  /// Ertl's improved estimator, without bias corrections from experiments: arXiv 1702.01284, algorithm 6.
  static func estimate(_ registers: borrowing RawSpan) -> Int64 { estimate(histogram(registers)) }

  /// - Parameter histogram: how many registers hold each rank.
  static func estimate(_ histogram: InlineArray<64, UInt32>) -> Int64 {
    let highest = 64 - Int(precision) + 1
    let count = Double(registerCount)
    var sum = count * tau(1 - Double(histogram[highest]) / count)
    for rank in (1..<highest).reversed() { sum = 0.5 * (sum + Double(histogram[rank])) }
    sum += count * sigma(Double(histogram[0]) / count)
    let halfOfLogarithm = 0.721_347_520_444_481_7  // 1 / (2 ln 2)
    let estimate = (halfOfLogarithm * count * count / sum).rounded()
    return estimate < 9e18 ? Int64(estimate) : .max
  }

  /// How many registers hold each rank.
  ///
  /// Most hold one of a few ranks: counted in one place, each addition would wait for the one before it.
  static func histogram(_ registers: borrowing RawSpan) -> InlineArray<64, UInt32> {
    var lanes = InlineArray<512, UInt32>(repeating: 0)
    for offset in stride(from: 0, to: registers.byteCount, by: 8) {
      let ranks = unsafe registers.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      lanes[Int(ranks & 63)] &+= 1
      lanes[64 + Int(ranks >> 8 & 63)] &+= 1
      lanes[128 + Int(ranks >> 16 & 63)] &+= 1
      lanes[192 + Int(ranks >> 24 & 63)] &+= 1
      lanes[256 + Int(ranks >> 32 & 63)] &+= 1
      lanes[320 + Int(ranks >> 40 & 63)] &+= 1
      lanes[384 + Int(ranks >> 48 & 63)] &+= 1
      lanes[448 + Int(ranks >> 56 & 63)] &+= 1
    }
    var histogram = InlineArray<64, UInt32>(repeating: 0)
    for index in lanes.indices { histogram[index & 63] &+= lanes[index] }
    return histogram
  }

  /// Puts a hash into a table of 2^n places by open addressing; 0 is an empty place.
  ///
  /// - Parameter hash: not 0.
  /// - Returns: false when it is there already.
  @inline(__always)
  static func insert(_ hash: UInt64, into table: UnsafeMutableBufferPointer<UInt64>) -> Bool {
    var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while unsafe table[place] != 0 {
      if unsafe table[place] == hash { return false }
      place = (place + 1) & (table.count - 1)
    }
    unsafe table[place] = hash
    return true
  }

  private static func sigma(_ start: Double) -> Double {
    guard start < 1 else { return .infinity }
    var (power, factor, sum, previous) = (start, 1.0, start, -1.0)
    while sum != previous {
      power *= power
      previous = sum
      sum += power * factor
      factor += factor
    }
    return sum
  }

  private static func tau(_ start: Double) -> Double {
    guard start > 0, start < 1 else { return 0 }
    var (root, factor, sum, previous) = (start, 1.0, 1 - start, -1.0)
    while sum != previous {
      root = root.squareRoot()
      previous = sum
      factor *= 0.5
      sum -= (1 - root) * (1 - root) * factor
    }
    return sum / 3
  }
}

extension FeatureRow {
  mutating func insertDistinct(_ hash: UInt64, at slot: Int) {
    let block: UInt32 = load(slot)
    let length = blockLength(block)
    if length == DistinctSet.registerCount { return raiseRegister(hash, in: payload(block)) }
    let count = length / 8
    let place = wordsBelow(hash, at: payload(block), count: count)
    if place < count, load(payload(block) + place * 8, as: UInt64.self) == hash { return }
    guard count < DistinctSet.exactLimit else {
      makeRegisters(at: slot)
      return raiseRegister(hash, in: payload(load(slot)))
    }
    let start = resizeBlock(referredFrom: slot, length: length + 8, most: DistinctSet.registerCount)
    move(from: start + place * 8, to: start + place * 8 + 8, count: length - place * 8)
    store(hash, at: start + place * 8)
  }

  mutating func mergeDistinct(at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int) {
    let block: UInt32 = other.load(otherSlot)
    let (start, length) = (other.payload(block), other.blockLength(block))
    guard length == DistinctSet.registerCount else {
      for offset in stride(from: 0, to: length, by: 8) { insertDistinct(other.load(start + offset), at: slot) }
      return
    }
    if blockLength(load(slot)) != DistinctSet.registerCount { makeRegisters(at: slot) }
    keepGreaterBytes(of: other, from: start, at: payload(load(slot)), count: length)
  }

  /// How many distinct values the slots of some cells have seen together, as a merged set would say.
  func distinctCount(_ cells: CellRange, slot: Int) -> Int64 {
    var (hashes, areRegisters, last, used) = (0, false, 0, 0)
    for cell in 0..<cells.count {
      let length = blockLength(load(cells[cell] + slot))
      guard length > 0 else { continue }
      (last, used) = (cells[cell] + slot, used + 1)
      if length == DistinctSet.registerCount { areRegisters = true } else { hashes += length / 8 }
    }
    guard used > 1 else { return used == 0 ? 0 : distinctCount(at: last) }
    if !areRegisters, let exact = exactCount(cells, slot: slot, hashes) { return Int64(exact) }
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DistinctSet.registerCount) { registers in
      unsafe registers.initialize(repeating: 0)
      for cell in 0..<cells.count { unsafe addRegisters(of: load(cells[cell] + slot), to: registers) }
      return unsafe DistinctSet.estimate(RawSpan(_unsafeElements: UnsafeBufferPointer(registers)))
    }
  }

  /// How many different hashes exact sets have together; nil when a set of them would be registers.
  ///
  /// - Parameter most: with those that several have.
  private func exactCount(_ cells: CellRange, slot: Int, _ most: Int) -> Int? {
    // Open addressing, at most half full; 0 is an empty place, so the hash 0 is counted apart.
    let places = 2 << (UInt64.bitWidth - min(most, DistinctSet.exactLimit).leadingZeroBitCount)
    return unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: places) { table in
      unsafe table.initialize(repeating: 0)
      var (different, hasZero) = (0, false)
      for cell in 0..<cells.count {
        let block: UInt32 = load(cells[cell] + slot)
        let start = payload(block)
        for offset in stride(from: start, to: start + blockLength(block), by: 8) {
          let hash: UInt64 = load(offset)
          if hash == 0 { hasZero = true } else if unsafe DistinctSet.insert(hash, into: table) { different += 1 }
          guard different < DistinctSet.exactLimit || different + (hasZero ? 1 : 0) == DistinctSet.exactLimit else {
            return nil
          }
        }
      }
      return different + (hasZero ? 1 : 0)
    }
  }

  private func addRegisters(of block: UInt32, to registers: UnsafeMutableBufferPointer<UInt8>) {
    let (start, length) = (payload(block), blockLength(block))
    guard length == DistinctSet.registerCount else {
      for word in 0..<length / 8 {
        let (index, rank) = DistinctSet.register(load(start + word * 8))
        unsafe registers[index] = max(registers[index], rank)
      }
      return
    }
    unsafe span(at: start, count: length).withUnsafeBytes { ranks in
      guard let ranks = unsafe ranks.baseAddress?.assumingMemoryBound(to: UInt8.self),
        let registers = registers.baseAddress
      else { return }
      // Without a branch: the compiler makes vectors of it.
      for index in 0..<length { unsafe registers[index] = max(registers[index], ranks[index]) }
    }
  }

  /// How many distinct values a slot has seen.
  func distinctCount(at slot: Int) -> Int64 {
    let block: UInt32 = load(slot)
    guard blockLength(block) == DistinctSet.registerCount else { return Int64(blockLength(block) / 8) }
    return DistinctSet.estimate(blockBytes(block))
  }

  /// Turns an exact set into registers.
  private mutating func makeRegisters(at slot: Int) {
    let exact: UInt32 = load(slot)
    let registers = allocateBlock(length: DistinctSet.registerCount, capacity: 0)
    for offset in stride(from: 0, to: blockLength(exact), by: 8) {
      raiseRegister(load(payload(exact) + offset), in: payload(registers))
    }
    releaseBlock(exact)
    store(registers, at: slot)
  }

  private mutating func raiseRegister(_ hash: UInt64, in registers: Int) {
    let (index, rank) = DistinctSet.register(hash)
    if rank > load(registers + index, as: UInt8.self) { store(rank, at: registers + index) }
  }

  /// How many of some sorted words are less than one.
  func wordsBelow(_ word: UInt64, at start: Int, count: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if load(start + middle * 8, as: UInt64.self) < word { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
