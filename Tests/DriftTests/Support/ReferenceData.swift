import Core

/// The two sets that other libraries were run on: the same bits in any language.
///
/// Column i of the reference takes its draws from SplitMix64 of seed 1000 + 10 i, of the current set from 1001 + 10 i.
/// A bell curve is twelve uniforms added, minus six.
struct ReferenceData {
  static let numericNames = ["n0", "n1", "n2", "n3", "n4", "n5"]
  static let categoryNames = ["c0", "c1", "c2"]

  var numbers: [String: [Double]] = [:]
  var categories: [String: [String]] = [:]

  static func reference(_ count: Int) -> ReferenceData {
    ReferenceData(
      count, firstSeed: 1_000, scales: [1, 1, 1, 1], shift: 0,
      shares: [[0.4, 0.3, 0.2, 0.1], [0.3, 0.3, 0.2, 0.15, 0.05, 0], [0.5, 0.5]], isCurrent: false)
  }

  static func current(_ count: Int) -> ReferenceData {
    ReferenceData(
      count, firstSeed: 1_001, scales: [1, 1.5, 1, 1.2], shift: 0.25,
      shares: [[0.3, 0.3, 0.2, 0.2], [0.3, 0.25, 0.2, 0.15, 0, 0.1], [0.52, 0.48]], isCurrent: true)
  }

  private init(
    _ count: Int, firstSeed: UInt64, scales: [Double], shift: Double, shares: [[Double]], isCurrent: Bool
  ) {
    for (index, name) in (Self.numericNames + Self.categoryNames).enumerated() {
      var random = SplitMix64(seed: firstSeed + 10 * UInt64(index))
      switch index {
      case 0: numbers[name] = (0..<count).map { _ in random.bell() + (isCurrent ? shift : 0) }
      case 1, 2: numbers[name] = (0..<count).map { _ in random.bell() * scales[index] }
      case 3:
        numbers[name] = (0..<count).map { _ in
          let z = random.bell() * scales[3]
          return z * z
        }
      case 4:
        numbers[name] = (0..<count).map { _ in
          let uniform = random.uniform()
          return (isCurrent ? uniform * uniform * 4 : uniform * 4).rounded(.down)
        }
      case 5: numbers[name] = (0..<count).map { _ in (random.uniform() * 100).rounded(.down) }
      default:
        categories[name] = (0..<count).map { _ in random.pick(shares[index - 6]) }
      }
    }
  }
}

extension SplitMix64 {
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func bell() -> Double {
    var total = 0.0
    for _ in 0..<12 { total += uniform() }
    return total - 6
  }

  mutating func pick(_ shares: [Double]) -> String {
    let draw = uniform()
    var total = 0.0
    for (index, share) in shares.enumerated() {
      total += share
      if draw < total { return String(UnicodeScalar(UInt8(97 + index))) }
    }
    return String(UnicodeScalar(UInt8(97 + shares.count - 1)))
  }

  /// A standard normal number, near enough.
  mutating func normal() -> Double { bell() }
}
