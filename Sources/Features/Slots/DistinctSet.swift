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
  static func estimate(_ registers: borrowing RawSpan) -> Int64 {
    let highest = 64 - Int(precision) + 1
    var histogram = [Double](repeating: 0, count: highest + 1)
    for index in 0..<registers.byteCount {
      histogram[min(Int(unsafe registers.unsafeLoad(fromByteOffset: index, as: UInt8.self)), highest)] += 1
    }
    let count = Double(registers.byteCount)
    var sum = count * tau(1 - histogram[highest] / count)
    for rank in (1..<highest).reversed() { sum = 0.5 * (sum + histogram[rank]) }
    sum += count * sigma(histogram[0] / count)
    let halfOfLogarithm = 0.721_347_520_444_481_7  // 1 / (2 ln 2)
    let estimate = (halfOfLogarithm * count * count / sum).rounded()
    return estimate < 9e18 ? Int64(estimate) : .max
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
    let target = payload(load(slot))
    for index in 0..<length {
      let rank: UInt8 = other.load(start + index)
      if rank > load(target + index, as: UInt8.self) { store(rank, at: target + index) }
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
