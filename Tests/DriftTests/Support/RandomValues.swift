import Core

extension SplitMix64 {
  /// A number of the kinds that break things: ties, zeros of both signs, subnormals, large and small magnitudes, and,
  /// when asked for, infinities and NaN.
  mutating func awkward(_ specials: Bool = true) -> Double {
    switch Int.random(in: 0..<20, using: &self) {
    case 0: 0
    case 1: -0.0
    case 2: Double(Int.random(in: -3...3, using: &self))
    case 3: Double(sign: .plus, exponent: Int.random(in: -1_070...1_000, using: &self), significand: 1 + uniform())
    case 4: -Double(sign: .plus, exponent: Int.random(in: -1_070...1_000, using: &self), significand: 1 + uniform())
    case 5: .leastNonzeroMagnitude * Double(Int.random(in: 1...9, using: &self))
    case 6 where specials: .infinity
    case 7 where specials: -.infinity
    case 8 where specials: .nan
    default: bell()
    }
  }

  /// The same in single precision.
  mutating func awkwardFloat() -> Float {
    switch Int.random(in: 0..<24, using: &self) {
    case 0: 0
    case 1: -0.0
    case 2: .infinity
    case 3: -.infinity
    case 4: .nan
    case 5: .leastNonzeroMagnitude
    case 6: .greatestFiniteMagnitude
    case 7: -.greatestFiniteMagnitude
    case 8: Float(bitPattern: UInt32(truncatingIfNeeded: next()))
    default: Float(bell())
    }
  }

  /// Cuts a list into parts of random lengths, in random order.
  mutating func parts<Element>(of list: [Element]) -> [[Element]] {
    var rest = list.shuffled(using: &self)[...]
    var parts: [[Element]] = []
    while !rest.isEmpty {
      let size = Int.random(in: 1...max(1, min(rest.count, 90)), using: &self)
      parts.append(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return parts
  }
}
