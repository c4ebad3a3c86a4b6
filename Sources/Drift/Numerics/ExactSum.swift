/// The exact sum of any number of doubles or of their squares: integer arithmetic on one long fixed-point number.
///
/// Kulisch's long accumulator. Limbs of 32 bits lie in 64-bit words, so that many additions pass before carries have to
/// move. Only the limbs between the smallest and the largest addend exist. The value depends on the set of addends
/// alone, never on their order or on where batches were cut; it is rounded once, in `rounded`.
package struct ExactSum: Sendable {
  /// The weight of a limb is 2^(32 · (base + index)).
  private(set) var limbs: [Int64] = []
  private(set) var base = 0
  /// Additions since carries were moved; each adds less than 2^32 to a limb.
  private var pending = 0

  private static let limbBits = 32
  private static let limbMask: UInt128 = 0xffff_ffff
  private static let pendingMax = 1 << 29
  /// Squares of doubles: 2^-2148 to 2^2048, and room for 2^64 of them.
  static let lowestLimb = -68
  static let highestLimb = 67

  package init() {}

  /// Adds a finite value.
  package mutating func add(_ value: Double) {
    guard value != 0 else { return }
    let (significand, exponent) = Self.parts(value)
    add(UInt128(significand), exponent: exponent, isNegative: value < 0)
  }

  /// Adds the exact square of a finite value.
  package mutating func addSquare(_ value: Double) {
    guard value != 0 else { return }
    let (significand, exponent) = Self.parts(value)
    add(UInt128(significand) * UInt128(significand), exponent: 2 * exponent, isNegative: false)
  }

  /// Adds the exact product of two finite values.
  package mutating func addProduct(_ left: Double, _ right: Double) {
    guard left != 0, right != 0 else { return }
    let (first, firstExponent) = Self.parts(left)
    let (second, secondExponent) = Self.parts(right)
    add(
      UInt128(first) * UInt128(second), exponent: firstExponent + secondExponent,
      isNegative: (left < 0) != (right < 0))
  }

  /// `value` = significand · 2^exponent with an integer significand below 2^53.
  private static func parts(_ value: Double) -> (significand: UInt64, exponent: Int) {
    let biased = Int(value.exponentBitPattern)
    let fraction = value.significandBitPattern
    return biased == 0 ? (fraction, -1_074) : (fraction | 1 << 52, biased - 1_075)
  }

  /// Adds ± magnitude · 2^exponent.
  ///
  /// - Precondition: the weight of the last bit is at least 2^-2176.
  package mutating func add(_ magnitude: UInt128, exponent: Int, isNegative: Bool) {
    guard magnitude != 0 else { return }
    let limb = exponent >> 5
    let shift = UInt128(exponent & 31)
    // Three steps of 32 bits take the low part; what is left after the shift fits above.
    let low = (magnitude & ((1 << 96) - 1)) << shift
    let high = (magnitude >> 96) << shift
    makeRoom(limb...limb + 4)
    let place = limb - base
    let parts = (
      Int64(low & Self.limbMask), Int64(low >> 32 & Self.limbMask), Int64(low >> 64 & Self.limbMask),
      Int64(low >> 96 & Self.limbMask) + Int64(high & Self.limbMask), Int64(high >> 32 & Self.limbMask)
    )
    let sign: Int64 = isNegative ? -1 : 1
    limbs[place] += sign * parts.0
    limbs[place + 1] += sign * parts.1
    limbs[place + 2] += sign * parts.2
    limbs[place + 3] += sign * parts.3
    limbs[place + 4] += sign * parts.4
    pending += 2
    if pending >= Self.pendingMax { moveCarries() }
  }

  /// Adds another sum: the sum of both sets of addends.
  package mutating func merge(_ other: ExactSum) {
    var other = other
    other.moveCarries()
    guard let last = other.limbs.indices.last else { return }
    makeRoom(other.base...other.base + last)
    for (index, limb) in other.limbs.enumerated() { limbs[other.base - base + index] += limb }
    pending += 1
    if pending >= Self.pendingMax { moveCarries() }
  }

  /// Takes away the exact product of another sum and a finite factor.
  mutating func subtract(_ other: ExactSum, times factor: Double) {
    guard factor != 0 else { return }
    let (significand, exponent) = Self.parts(factor)
    let other = other.canonical
    for (index, limb) in other.limbs.enumerated() where limb != 0 {
      add(
        UInt128(limb.magnitude) * UInt128(significand),
        exponent: exponent + Self.limbBits * (other.base + index), isNegative: (limb < 0) == (factor < 0))
    }
  }

  private mutating func makeRoom(_ wanted: ClosedRange<Int>) {
    if limbs.isEmpty { base = wanted.lowerBound }
    if wanted.lowerBound < base {
      limbs.insert(contentsOf: repeatElement(0, count: base - wanted.lowerBound), at: 0)
      base = wanted.lowerBound
    }
    let missing = wanted.upperBound - base + 1 - limbs.count
    if missing > 0 { limbs.append(contentsOf: repeatElement(0, count: missing)) }
  }
}

extension ExactSum {
  /// Brings every limb but the last into 0..<2^32; the last one holds the sign. Drops zeros at both ends: this is the
  /// one form of a value.
  mutating func moveCarries() {
    pending = 0
    var carry = 0 as Int64
    for index in limbs.indices {
      let total = limbs[index] + carry
      limbs[index] = total & 0xffff_ffff
      carry = total >> Self.limbBits
    }
    while carry != 0, carry != -1 {
      limbs.append(carry & 0xffff_ffff)
      carry >>= Self.limbBits
    }
    if carry == -1 { limbs.append(-1) }
    while limbs.last == 0 { limbs.removeLast() }
    // A sign limb above a limb of all ones says nothing more than a sign limb in its place.
    while limbs.count > 1, limbs[limbs.count - 1] == -1, limbs[limbs.count - 2] == 0xffff_ffff {
      limbs.removeLast()
      limbs[limbs.count - 1] = -1
    }
    let zeros = limbs.prefix { $0 == 0 }.count
    limbs.removeFirst(zeros)
    base = limbs.isEmpty ? 0 : base + zeros
  }

  /// The canonical form of the same value.
  var canonical: ExactSum {
    var copy = self
    copy.moveCarries()
    return copy
  }

  /// The limbs of a canonical form that was written down; nil where no sum has these.
  init?(base: Int, limbs: [Int64]) {
    guard base >= Self.lowestLimb - 2, base + limbs.count <= Self.highestLimb + 8 else { return nil }
    for (index, limb) in limbs.enumerated() {
      let isLast = index == limbs.count - 1
      guard (0...0xffff_ffff).contains(limb) || (isLast && limb == -1) else { return nil }
    }
    self.base = base
    self.limbs = limbs
    let given = (base, limbs)
    moveCarries()
    guard given == (self.base, self.limbs) else { return nil }
  }

  /// The double that is nearest to the exact sum, ties to even; infinite when none is near.
  package var rounded: Double {
    var copy = canonical
    guard let sign = copy.limbs.last else { return 0 }
    let isNegative = sign < 0
    if isNegative { copy.negate() }
    // The leading 96 to 128 bits, then one bit for everything below: enough to round once.
    let top = copy.limbs.count - 1
    var magnitude = 0 as UInt128
    for step in 0..<4 { magnitude = magnitude << 32 | (top >= step ? UInt128(copy.limbs[top - step]) : 0) }
    if top >= 4, copy.limbs[0..<top - 3].contains(where: { $0 != 0 }) { magnitude |= 1 }
    let result = Self.round(magnitude, exponent: Self.limbBits * (copy.base + top - 3))
    return isNegative ? -result : result
  }

  private mutating func negate() {
    for index in limbs.indices { limbs[index] = -limbs[index] }
    moveCarries()
  }

  /// magnitude · 2^exponent; the last bit of the magnitude is sticky.
  private static func round(_ magnitude: UInt128, exponent: Int) -> Double {
    let bits = 128 - magnitude.leadingZeroBitCount
    // The weight of the last bit that a double of this size can hold.
    let unit = max(exponent + bits - 53, -1_074)
    let dropped = unit - exponent
    guard dropped > 0 else { return scaled(Double(magnitude), exponent) }
    guard dropped < 128 else { return 0 }
    var kept = magnitude >> UInt128(dropped)
    let rest = magnitude & ((1 << UInt128(dropped)) - 1)
    let half = UInt128(1) << UInt128(dropped - 1)
    if rest > half || (rest == half && kept & 1 == 1) { kept += 1 }
    return scaled(Double(kept), unit)
  }

  /// Exact, because the significand was cut to what the result can hold: in two steps, each of which is a double.
  private static func scaled(_ significand: Double, _ exponent: Int) -> Double {
    guard exponent < 1_100 else { return .infinity }
    let first = exponent / 2
    return significand * Double(sign: .plus, exponent: first, significand: 1)
      * Double(sign: .plus, exponent: exponent - first, significand: 1)
  }
}

extension ExactSum: Equatable {
  package static func == (left: ExactSum, right: ExactSum) -> Bool {
    let (left, right) = (left.canonical, right.canonical)
    return left.base == right.base && left.limbs == right.limbs
  }
}
