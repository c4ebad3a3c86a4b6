/// The exact sum of one slot over some cells, before it is rounded.
struct ExactTotal {
  /// Two's complement; `count` of them are in use.
  private(set) var limbs = InlineArray<72, UInt64>(repeating: 0)
  private(set) var count = 4
  /// The position of the first limb.
  private(set) var position = 0
  private(set) var flags: UInt8 = 0

  /// Sums up cells that lie one after the other.
  init(_ row: borrowing FeatureRow, _ cells: CellRange, slot: Int, _ format: LimbFormat) {
    if addAligned(row, cells, slot: slot, format) { return }
    (limbs, flags, position, count) = (.init(repeating: 0), 0, format.fullRange.lowerBound, format.fullRange.count)
    for cell in 0..<cells.count { addAnywhere(row, cells[cell] + slot, format) }
  }

  /// The usual case: all windows lie at the same place.
  ///
  /// - Returns: false when they do not.
  private mutating func addAligned(
    _ row: borrowing FeatureRow, _ cells: CellRange, slot: Int, _ format: LimbFormat
  ) -> Bool {
    var base = 0 as UInt16
    var lower = 0 as UInt128
    var upper = 0 as Int128
    for cell in 0..<cells.count {
      let place = cells[cell] + slot
      let cellBase: UInt16 = row.load(place + format.baseOffset)
      flags |= row.load(place + format.flagsOffset)
      if cellBase == 0 { continue }
      if base == 0 { base = cellBase }
      guard cellBase == base, flags & LimbFormat.Flags.spilled == 0 else { return false }
      let (sum, carry) = lower.addingReportingOverflow(row.load(place, as: UInt128.self))
      let part: Int128 =
        format.inlineLimbs == 4 ? row.load(place + 16) : Int128(row.load(place + 16, as: Int64.self))
      let (total, overflow) = upper.addingReportingOverflow(part)
      let (carried, overflowOfCarry) = total.addingReportingOverflow(carry ? 1 : 0)
      guard !overflow, !overflowOfCarry else { return false }
      (lower, upper) = (sum, carried)
    }
    position = max(Int(base) - 1, 0)
    limbs[0] = UInt64(truncatingIfNeeded: lower)
    limbs[1] = UInt64(truncatingIfNeeded: lower >> 64)
    limbs[2] = UInt64(truncatingIfNeeded: upper)
    limbs[3] = UInt64(truncatingIfNeeded: upper >> 64)
    return true
  }

  private mutating func addAnywhere(_ row: borrowing FeatureRow, _ slot: Int, _ format: LimbFormat) {
    let slotFlags = row.limbFlags(slot, format)
    flags |= slotFlags
    if slotFlags & LimbFormat.Flags.spilled != 0 {
      let block = row.limbBlock(slot, format)
      var carry = false
      for limb in 0..<count { add(row.load(block + limb * 8), to: limb, &carry) }
      return
    }
    let base = row.windowBase(slot, format)
    guard base >= 0 else { return }
    let window = row.windowLimbs(slot, format)
    let sign = UInt64(bitPattern: Int64(bitPattern: window[3]) >> 63)
    var carry = false
    for limb in max(base - position, 0)..<count {
      let index = limb - (base - position)
      add(index < 4 ? window[index] : sign, to: limb, &carry)
    }
  }

  private mutating func add(_ part: UInt64, to limb: Int, _ carry: inout Bool) {
    let (sum, first) = limbs[limb].addingReportingOverflow(part)
    let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
    limbs[limb] = total
    carry = first || second
  }
}

extension ExactTotal {
  /// A total of integers.
  init(_ value: Int128) {
    position = LimbFormat.unitPosition
    let sign = UInt64(bitPattern: Int64(truncatingIfNeeded: value >> 127))
    limbs[0] = UInt64(truncatingIfNeeded: value)
    limbs[1] = UInt64(truncatingIfNeeded: value >> 64)
    limbs[2] = sign
    limbs[3] = sign
  }

  /// What NaN and infinities in the input make of the sum; nil when there were none.
  var nonfinite: Double? {
    switch flags & ~LimbFormat.Flags.spilled {
    case 0: nil
    case LimbFormat.Flags.positiveInfinity: .infinity
    case LimbFormat.Flags.negativeInfinity: -.infinity
    default: .nan
    }
  }

  /// The nearest double, ties to even; infinite when the true sum is out of range.
  var rounded: Double { nonfinite ?? scaled.value }

  /// The total divided by a count, without overflow on the way.
  func divided(by divisor: Double) -> Double { nonfinite ?? scaled.divided(by: divisor).value }

  /// The total rounded to 53 bits, with an exponent of any size.
  var scaled: ScaledDouble {
    let magnitude = isNegative ? limbs.negated() : limbs
    return ScaledDouble(
      magnitude: magnitude.span.extracting(0..<count), position: position, isNegative: isNegative)
  }

  var isNegative: Bool { limbs[count - 1] >> 63 == 1 }

  /// The total as an integer; nil when it does not fit. Only of totals of integers.
  var integer: Int128? {
    let unit = LimbFormat.unitPosition - position
    guard unit >= 0, unit + 1 < count else { return nil }
    let value = Int128(truncatingIfNeeded: UInt128(limbs[unit + 1]) << 64 | UInt128(limbs[unit]))
    let sign: UInt64 = value < 0 ? .max : 0
    for limb in 0..<count where limb < unit ? limbs[limb] != 0 : limb > unit + 1 && limbs[limb] != sign { return nil }
    return value
  }
}
