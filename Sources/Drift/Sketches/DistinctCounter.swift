package import Core

/// How many distinct values there were: exact up to 511, then HyperLogLog with a standard error of 1.6 %.
///
/// The form is a function of the set of hashes alone: up to the limit a sorted list, above it the registers of all of
/// them. Neither arrival order nor merging leaves a trace.
package struct DistinctCounter: Sendable, Equatable {
  static let exactLimit = 511
  /// 2^12 registers: 1.04 / √4096.
  package static let standardError = 0.016_25
  private static let precision: UInt64 = 12
  private static let registerCount = 1 << 12

  private var hashes: [UInt64] = []
  private var registers: [UInt8] = []

  package init() {}

  package var isExact: Bool { registers.isEmpty }

  /// Adds a value by its 64-bit hash (`Hash64`).
  package mutating func add(hash: UInt64) {
    guard registers.isEmpty else { return raise(hash) }
    let place = hashes.partitioningIndex { $0 >= hash }
    if place < hashes.count, hashes[place] == hash { return }
    guard hashes.count == Self.exactLimit else { return hashes.insert(hash, at: place) }
    registers = [UInt8](repeating: 0, count: Self.registerCount)
    for known in hashes { raise(known) }
    hashes = []
    raise(hash)
  }

  package mutating func merge(_ other: DistinctCounter) {
    if !other.registers.isEmpty, registers.isEmpty {
      registers = [UInt8](repeating: 0, count: Self.registerCount)
      for known in hashes { raise(known) }
      hashes = []
    }
    for hash in other.hashes { add(hash: hash) }
    for (index, rank) in other.registers.enumerated() { registers[index] = max(registers[index], rank) }
  }

  private mutating func raise(_ hash: UInt64) {
    let index = Int(hash >> (64 - Self.precision))
    // The guard bit bounds the rank when all other bits are zero.
    let rest = hash << Self.precision | 1 << (Self.precision - 1)
    registers[index] = max(registers[index], UInt8(rest.leadingZeroBitCount + 1))
  }

  /// Ertl's improved estimator, without corrections from experiments: arXiv 1702.01284, algorithm 6.
  package var estimate: Int {
    guard !registers.isEmpty else { return hashes.count }
    let highest = 64 - Int(Self.precision) + 1
    var histogram = [Double](repeating: 0, count: highest + 1)
    for rank in registers { histogram[min(Int(rank), highest)] += 1 }
    let count = Double(Self.registerCount)
    var sum = count * Self.tau(1 - histogram[highest] / count)
    for rank in (1..<highest).reversed() { sum = 0.5 * (sum + histogram[rank]) }
    sum += count * Self.sigma(histogram[0] / count)
    let halfOfLogarithm = 0.721_347_520_444_481_7  // 1 / (2 ln 2)
    return Int(min((halfOfLogarithm * count * count / sum).rounded(), 0x1p60))
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

extension DistinctCounter {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.distinct)
    writer.append(byte: isExact ? 0 : 1)
    if isExact { writer.append(count: hashes.count) }
    for hash in hashes { writer.append(Double(bitPattern: hash)) }
    for rank in registers { writer.append(byte: rank) }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in try DistinctCounter(decodingPart: bytes[...]) }
  }

  init(decodingPart bytes: ArraySlice<UInt8>) throws(SketchFault) {
    var reader = try SketchReader(bytes, .distinct)
    try self.init(from: &reader)
    try reader.finish()
  }

  private init(from reader: inout SketchReader) throws(SketchFault) {
    switch try reader.byte() {
    case 0:
      let count = try reader.elementCount(bytesEach: 8)
      guard count <= Self.exactLimit else { throw .notCanonical("\(count) hashes") }
      for _ in 0..<count {
        let hash = try reader.double().bitPattern
        guard hashes.last.map({ $0 < hash }) ?? true else { throw .notCanonical("hashes out of order") }
        hashes.append(hash)
      }
    case 1:
      for _ in 0..<Self.registerCount { registers.append(try reader.byte()) }
      guard registers.allSatisfy({ $0 <= 64 - UInt8(Self.precision) + 1 }), registers.contains(where: { $0 > 0 }) else {
        throw .notCanonical("registers")
      }
    case let form: throw .notCanonical("form \(form)")
    }
  }
}
