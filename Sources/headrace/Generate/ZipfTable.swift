/// Numbers from 0 up to a count, the first the most frequent: number k comes in proportion to 1 / (k + 1)^exponent.
struct ZipfTable: Sendable {
  /// The share of all numbers up to each, in 2^53rds: ascending, the last covers everything.
  private let bounds: [UInt64]

  private static let whole = Double(1 << 53 as UInt64)

  /// - Parameter count: at least 1.
  init(count: Int, exponent: Double) {
    var sums: [Double] = []
    sums.reserveCapacity(count)
    var sum = 0.0
    for rank in 1...max(count, 1) {
      sum += PortableMath.exp(-exponent * PortableMath.log(Double(rank)))
      sums.append(sum)
    }
    var bounds = sums.map { UInt64($0 / sum * Self.whole) }
    bounds[bounds.count - 1] = 1 << 53
    self.bounds = bounds
  }

  /// - Parameter random: 64 random bits.
  func number(_ random: UInt64) -> Int {
    let point = random >> 11
    var (low, high) = (0, bounds.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] <= point { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
