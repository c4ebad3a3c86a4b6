/// How exact sums lie in a slot: a window of 64-bit limbs of one long fixed-point number.
///
/// Every finite double is an integer times 2^-1074, so a fixed-point number of some 2,100 bits holds any sum of doubles
/// without rounding (Kulisch's long accumulator), and adding to it is integer arithmetic: associative and commutative
/// by itself, and no intermediate result can overflow. Sums that occur in practice need a few limbs of it: the slot
/// holds these as a two's complement number and says where the window lies. Only when values of very different
/// magnitude meet does a slot move to a block that has all limbs. `fsum`'s expansion (Shewchuk 1997) gives the same
/// sums; a window merges in three additions, which is what reading a window over dozens of tiles costs.
struct LimbFormat: Sendable {
  /// Limbs in the slot.
  let inlineLimbs: Int
  /// The position of the first limb that a first value gets, if it fits.
  let usualBase: Int
  /// The positions of all limbs, for a slot that has a block.
  let fullRange: Range<Int>

  /// The bit with weight 2^0 begins the limb at this position.
  static let unitPosition = 34

  /// Sums of doubles: weights from 2^-1088 to 2^1216. Usually 2^-128 up to 2^63.
  static let sum = LimbFormat(inlineLimbs: 3, usualBase: 32, fullRange: 17..<53)
  /// Sums of unscaled decimals, in the same form.
  static let decimalSum = LimbFormat(inlineLimbs: 3, usualBase: 34, fullRange: 17..<53)
  /// Sums of squares: weights from 2^-2176 to 2^2304. Usually 2^-192 up to 2^63.
  static let squares = LimbFormat(inlineLimbs: 4, usualBase: 31, fullRange: 0..<70)

  /// Behind the limbs: position of the first limb plus one (0: nothing was added), flags, block.
  var baseOffset: Int { inlineLimbs * 8 }
  var flagsOffset: Int { inlineLimbs * 8 + 2 }
  var blockOffset: Int { inlineLimbs * 8 + 4 }
  var sizeBytes: Int { inlineLimbs * 8 + 8 }

  enum Flags {
    static let nan: UInt8 = 1
    static let positiveInfinity: UInt8 = 2
    static let negativeInfinity: UInt8 = 4
    /// The limbs are in the block.
    static let spilled: UInt8 = 8
  }
}

/// A number that is added: at most four limbs with a sign.
struct LimbAddend {
  var limbs: InlineArray<4, UInt64>
  /// The position of the first limb.
  var position: Int
  var isNegative: Bool

  /// `magnitude` times 2^`exponent`.
  init(_ magnitude: UInt128, exponent: Int, isNegative: Bool) {
    let place = exponent + LimbFormat.unitPosition * 64
    let shift = UInt64(truncatingIfNeeded: place & 63)
    let (low, high) = (UInt64(truncatingIfNeeded: magnitude), UInt64(truncatingIfNeeded: magnitude >> 64))
    limbs = [low << shift, high << shift | (low >> 1) >> (63 &- shift), (high >> 1) >> (63 &- shift), 0]
    position = place >> 6
    self.isNegative = isNegative
  }

  init(limbs: InlineArray<4, UInt64>, position: Int, isNegative: Bool) {
    self.limbs = limbs
    self.position = position
    self.isNegative = isNegative
  }

  /// A two's complement number of some limbs.
  init(twosComplement limbs: InlineArray<4, UInt64>, position: Int) {
    let isNegative = Int64(bitPattern: limbs[3]) < 0
    self.init(limbs: isNegative ? limbs.negated() : limbs, position: position, isNegative: isNegative)
  }

  /// The positions that hold bits of the magnitude; nil of zero.
  var significantPositions: ClosedRange<Int>? {
    var (first, last) = (-1, -1)
    for index in 0..<4 where limbs[index] != 0 {
      if first < 0 { first = index }
      last = index
    }
    guard first >= 0 else { return nil }
    // A sign bit must fit above the magnitude.
    if limbs[last] >> 63 == 1 { last += 1 }
    return position + first...position + last
  }
}

extension InlineArray where Element == UInt64 {
  /// The two's complement.
  func negated() -> Self {
    var result = self
    var carry = true
    for index in indices {
      let (sum, overflow) = (~self[index]).addingReportingOverflow(carry ? 1 : 0)
      result[index] = sum
      carry = overflow
    }
    return result
  }
}
