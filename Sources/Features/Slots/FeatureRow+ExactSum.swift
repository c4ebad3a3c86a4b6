// Exact sums in a slot: see `LimbFormat`.
extension FeatureRow {
  /// Adds a double to a sum. The common case, a value that fits the slot's window, is a handful of integer operations.
  @inline(__always)
  mutating func addDouble(_ value: Double, toSumAt slot: Int) {
    let bits = value.bitPattern
    let exponentField = Int(truncatingIfNeeded: bits >> 52) & 0x7ff
    let mantissa = bits & 0xf_ffff_ffff_ffff | (exponentField == 0 ? 0 : 1 << 52)
    let place = max(exponentField, 1) &+ (LimbFormat.unitPosition * 64 - 1075)
    let shift = UInt64(truncatingIfNeeded: place & 63)
    let base = Int(load(slot + LimbFormat.sum.baseOffset, as: UInt16.self)) &- 1
    let limb = (place >> 6) &- base
    guard limb == 0 || limb == 1, exponentField != 0x7ff else { return addDoubleSlowly(value, toSumAt: slot) }

    let (low, high) = (mantissa << shift, (mantissa >> 1) >> (63 &- shift))
    let sign = UInt64(bitPattern: Int64(bitPattern: bits) >> 63)
    let signs = UInt128(truncatingIfNeeded: Int64(bitPattern: sign))
    let lowAddend = limb == 0 ? UInt128(high) << 64 | UInt128(low) : UInt128(low) << 64
    let (lower, borrow) = (lowAddend ^ signs).addingReportingOverflow(UInt128(sign & 1))
    let upper = ((limb == 0 ? 0 : high) ^ sign) &+ (borrow ? 1 : 0)
    let oldUpper: UInt64 = load(slot + 16)
    let (newLower, carry) = load(slot, as: UInt128.self).addingReportingOverflow(lower)
    let newUpper = oldUpper &+ upper &+ (carry ? 1 : 0)
    guard Int64(bitPattern: (oldUpper ^ newUpper) & (upper ^ newUpper)) >= 0 else {
      return addDoubleSlowly(value, toSumAt: slot)
    }
    store(newLower, at: slot)
    store(newUpper, at: slot + 16)
  }

  @inline(never)
  private mutating func addDoubleSlowly(_ value: Double, toSumAt slot: Int) {
    guard value.isFinite else { return addNonfinite(value, at: slot, .sum) }
    guard value != 0 else { return }
    add(LimbAddend(value), at: slot, .sum)
  }

  /// Adds the square of a double, exactly.
  mutating func addSquare(_ value: Double, at slot: Int) {
    guard value.isFinite else { return addNonfinite(value.isNaN ? value : .infinity, at: slot, .squares) }
    guard value != 0 else { return }
    let addend = LimbAddend.parts(value)
    let square = UInt128(addend.mantissa) * UInt128(addend.mantissa)
    add(LimbAddend(square, exponent: 2 * addend.exponent, isNegative: false), at: slot, .squares)
  }

  mutating func addSquare(_ value: Int64, at slot: Int) {
    let square = UInt128(value.magnitude) * UInt128(value.magnitude)
    add(LimbAddend(square, exponent: 0, isNegative: false), at: slot, .squares)
  }

  mutating func addDecimal(_ unscaled: Int128, toSumAt slot: Int) {
    add(LimbAddend(unscaled.magnitude, exponent: 0, isNegative: unscaled < 0), at: slot, .decimalSum)
  }

  private mutating func addNonfinite(_ value: Double, at slot: Int, _ format: LimbFormat) {
    let flag =
      value.isNaN
      ? LimbFormat.Flags.nan
      : value > 0 ? LimbFormat.Flags.positiveInfinity : LimbFormat.Flags.negativeInfinity
    setLimbFlags(slot, format, limbFlags(slot, format) | flag)
  }

  /// Adds any number to a slot, wherever its window lies.
  mutating func add(_ addend: LimbAddend, at slot: Int, _ format: LimbFormat) {
    guard let needed = addend.significantPositions else { return }
    if limbFlags(slot, format) & LimbFormat.Flags.spilled == 0 {
      if placeWindow(over: needed, at: slot, format), addToWindow(addend, at: slot, format) { return }
      spill(slot, format)
    }
    addToBlock(addend, at: slot, format)
  }

  /// Adds the sum of another slot of the same format.
  mutating func mergeSum(at slot: Int, _ other: borrowing FeatureRow, _ otherSlot: Int, _ format: LimbFormat) {
    let otherFlags = other.limbFlags(otherSlot, format)
    let nonfinite = otherFlags & ~LimbFormat.Flags.spilled
    if nonfinite != 0 { setLimbFlags(slot, format, limbFlags(slot, format) | nonfinite) }
    if otherFlags & LimbFormat.Flags.spilled == 0 {
      let position = other.windowBase(otherSlot, format)
      guard position >= 0 else { return }
      let addend = LimbAddend(twosComplement: other.windowLimbs(otherSlot, format), position: position)
      return add(addend, at: slot, format)
    }
    if limbFlags(slot, format) & LimbFormat.Flags.spilled == 0 { spill(slot, format) }
    let (target, source) = (limbBlock(slot, format), other.limbBlock(otherSlot, format))
    var carry: UInt64 = 0
    for limb in 0..<format.fullRange.count {
      let (sum, first) = load(target + limb * 8, as: UInt64.self)
        .addingReportingOverflow(other.load(source + limb * 8, as: UInt64.self))
      let (total, second) = sum.addingReportingOverflow(carry)
      store(total, at: target + limb * 8)
      carry = first || second ? 1 : 0
    }
  }
}

// The window of a slot.
extension FeatureRow {
  func limbFlags(_ slot: Int, _ format: LimbFormat) -> UInt8 { load(slot + format.flagsOffset) }

  private mutating func setLimbFlags(_ slot: Int, _ format: LimbFormat, _ flags: UInt8) {
    store(flags, at: slot + format.flagsOffset)
  }

  /// The position of the slot's first limb; negative when nothing was added yet.
  func windowBase(_ slot: Int, _ format: LimbFormat) -> Int {
    Int(load(slot + format.baseOffset, as: UInt16.self)) - 1
  }

  /// The slot's limbs, sign-extended to four.
  func windowLimbs(_ slot: Int, _ format: LimbFormat) -> InlineArray<4, UInt64> {
    let third: UInt64 = load(slot + 16)
    let fourth: UInt64 =
      format.inlineLimbs == 4 ? load(slot + 24) : UInt64(bitPattern: Int64(bitPattern: third) >> 63)
    return [load(slot), load(slot + 8), third, fourth]
  }

  func limbBlock(_ slot: Int, _ format: LimbFormat) -> Int { payload(load(slot + format.blockOffset)) }

  /// Puts the window where it covers these positions and what the slot holds already.
  ///
  /// - Returns: false when no window covers both.
  private mutating func placeWindow(over needed: ClosedRange<Int>, at slot: Int, _ format: LimbFormat) -> Bool {
    let base = windowBase(slot, format)
    if base >= 0, needed.lowerBound >= base, needed.upperBound < base + format.inlineLimbs { return true }
    var covered = needed
    let held = LimbAddend(twosComplement: windowLimbs(slot, format), position: max(base, 0))
    if base >= 0, let positions = held.significantPositions {
      covered = min(covered.lowerBound, positions.lowerBound)...max(covered.upperBound, positions.upperBound)
    }
    guard covered.count <= format.inlineLimbs, covered.upperBound < format.fullRange.upperBound else { return false }
    let lowest = max(covered.upperBound - format.inlineLimbs + 1, format.fullRange.lowerBound)
    let moved = min(max(format.usualBase, lowest), covered.lowerBound)
    store(UInt16(truncatingIfNeeded: moved + 1), at: slot + format.baseOffset)
    if base >= 0 { shiftWindow(by: base - moved, at: slot, format) }
    return true
  }

  /// Moves limbs up by whole positions, or down when `distance` is negative; what falls off the end is zero or sign.
  private mutating func shiftWindow(by distance: Int, at slot: Int, _ format: LimbFormat) {
    let limbs = windowLimbs(slot, format)
    let sign = UInt64(bitPattern: Int64(bitPattern: limbs[3]) >> 63)
    for index in 0..<format.inlineLimbs {
      let source = index - distance
      store(source < 0 ? 0 : source > 3 ? sign : limbs[source], at: slot + index * 8)
    }
  }

  /// - Precondition: the window covers the addend's significant positions.
  /// - Returns: false, and nothing changed, when the sum does not fit.
  private mutating func addToWindow(_ addend: LimbAddend, at slot: Int, _ format: LimbFormat) -> Bool {
    var aligned = InlineArray<4, UInt64>(repeating: 0)
    let distance = addend.position - windowBase(slot, format)
    for index in 0..<4 where addend.limbs[index] != 0 { aligned[index + distance] = addend.limbs[index] }
    if addend.isNegative { aligned = aligned.negated() }
    let held = windowLimbs(slot, format)
    var result = held
    var carry = false
    for index in 0..<format.inlineLimbs {
      let (sum, first) = held[index].addingReportingOverflow(aligned[index])
      let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
      result[index] = total
      carry = first || second
    }
    let top = format.inlineLimbs - 1
    guard Int64(bitPattern: (held[top] ^ result[top]) & (aligned[top] ^ result[top])) >= 0 else { return false }
    for index in 0..<format.inlineLimbs { store(result[index], at: slot + index * 8) }
    return true
  }

  /// Moves the slot's window into a block with all limbs.
  private mutating func spill(_ slot: Int, _ format: LimbFormat) {
    let (base, limbs) = (windowBase(slot, format), windowLimbs(slot, format))
    let block = allocateBlock(length: format.fullRange.count * 8, capacity: 0)
    store(block, at: slot + format.blockOffset)
    setLimbFlags(slot, format, limbFlags(slot, format) | LimbFormat.Flags.spilled)
    // A base that no double has, so that the fast path of adding goes on to the slow one.
    store(UInt16.max, at: slot + format.baseOffset)
    guard base >= 0 else { return }
    addToBlock(LimbAddend(twosComplement: limbs, position: base), at: slot, format)
  }

  private mutating func addToBlock(_ addend: LimbAddend, at slot: Int, _ format: LimbFormat) {
    let target = limbBlock(slot, format)
    let first = addend.position - format.fullRange.lowerBound
    var carry = false
    for limb in max(first, 0)..<format.fullRange.count {
      let part = limb - first < 4 ? addend.limbs[limb - first] : 0
      guard limb - first < 4 || carry else { return }
      let held: UInt64 = load(target + limb * 8)
      let (sum, one) = addend.isNegative ? held.subtractingReportingOverflow(part) : held.addingReportingOverflow(part)
      let step: UInt64 = carry ? 1 : 0
      let (total, two) = addend.isNegative ? sum.subtractingReportingOverflow(step) : sum.addingReportingOverflow(step)
      store(total, at: target + limb * 8)
      carry = one || two
    }
  }
}

extension LimbAddend {
  /// A finite double as an integer times a power of two.
  static func parts(_ value: Double) -> (mantissa: UInt64, exponent: Int) {
    let exponentField = Int(truncatingIfNeeded: value.bitPattern >> 52) & 0x7ff
    let fraction = value.bitPattern & 0xf_ffff_ffff_ffff
    return (exponentField == 0 ? fraction : fraction | 1 << 52, max(exponentField, 1) - 1075)
  }

  init(_ value: Double) {
    let (mantissa, exponent) = Self.parts(value)
    self.init(UInt128(mantissa), exponent: exponent, isNegative: value < 0)
  }
}
