/// The exact sum of one slot over some cells, before it is rounded.
struct ExactTotal {
  /// Two's complement.
  private enum Limbs {
    /// The usual case: what lies in the slots themselves.
    case window(InlineArray<4, UInt64>)
    /// All limbs that the format has.
    case whole([UInt64])
  }

  private var limbs = Limbs.window(.init(repeating: 0))
  /// The position of the first limb.
  private(set) var position = 0
  private(set) var flags: UInt8 = 0

  /// Sums up cells that lie one after the other.
  init(_ row: borrowing FeatureRow, _ cells: CellRange, slot: Int, _ format: LimbFormat) {
    if addAligned(row, cells, slot: slot, format) { return }
    (flags, position) = (0, format.fullRange.lowerBound)
    var whole = [UInt64](repeating: 0, count: format.fullRange.count)
    for cell in 0..<cells.count { addAnywhere(row, cells[cell] + slot, format, to: &whole) }
    limbs = .whole(whole)
  }

  /// All windows lie at the same place.
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
    limbs = .window([
      UInt64(truncatingIfNeeded: lower), UInt64(truncatingIfNeeded: lower >> 64), UInt64(truncatingIfNeeded: upper),
      UInt64(truncatingIfNeeded: upper >> 64),
    ])
    return true
  }

  private mutating func addAnywhere(
    _ row: borrowing FeatureRow, _ slot: Int, _ format: LimbFormat, to whole: inout [UInt64]
  ) {
    let slotFlags = row.limbFlags(slot, format)
    flags |= slotFlags
    if slotFlags & LimbFormat.Flags.spilled != 0 {
      let block = row.limbBlock(slot, format)
      var carry = false
      for limb in whole.indices { Self.add(row.load(block + limb * 8), to: &whole[limb], &carry) }
      return
    }
    let base = row.windowBase(slot, format)
    guard base >= 0 else { return }
    let window = row.windowLimbs(slot, format)
    let sign = UInt64(bitPattern: Int64(bitPattern: window[3]) >> 63)
    var carry = false
    for limb in max(base - position, 0)..<whole.count {
      let index = limb - (base - position)
      Self.add(index < 4 ? window[index] : sign, to: &whole[limb], &carry)
    }
  }

  private static func add(_ part: UInt64, to limb: inout UInt64, _ carry: inout Bool) {
    let (sum, first) = limb.addingReportingOverflow(part)
    let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
    limb = total
    carry = first || second
  }
}

extension ExactTotal {
  /// A total of integers.
  init(_ value: Int128) {
    position = LimbFormat.unitPosition
    let sign = UInt64(bitPattern: Int64(truncatingIfNeeded: value >> 127))
    limbs = .window([UInt64(truncatingIfNeeded: value), UInt64(truncatingIfNeeded: value >> 64), sign, sign])
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
    withMagnitude { ScaledDouble(magnitude: $0, position: position, isNegative: isNegative) }
  }

  /// The total without its sign, in limbs from `position` on.
  func withMagnitude<Result>(_ body: (borrowing Span<UInt64>) -> Result) -> Result {
    switch limbs {
    case .window(let limbs):
      let magnitude = isNegative ? limbs.negated() : limbs
      return body(magnitude.span)
    case .whole(var limbs):
      if isNegative { limbs.negate() }
      return body(limbs.span)
    }
  }

  var isNegative: Bool {
    switch limbs {
    case .window(let limbs): limbs[3] >> 63 == 1
    case .whole(let limbs): (limbs.last ?? 0) >> 63 == 1
    }
  }

  /// The total as an integer; nil when it does not fit. Only of totals of integers.
  var integer: Int128? {
    withMagnitude { limbs in
      let unit = LimbFormat.unitPosition - position
      guard unit >= 0, unit + 1 < limbs.count else { return nil }
      for limb in limbs.indices where limb != unit && limb != unit + 1 && limbs[limb] != 0 { return nil }
      let magnitude = UInt128(limbs[unit + 1]) << 64 | UInt128(limbs[unit])
      let limit = UInt128(1) << 127
      guard magnitude < limit || isNegative && magnitude == limit else { return nil }
      return Int128(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }
  }
}

extension [UInt64] {
  /// As `InlineArray.negated`, in place.
  fileprivate mutating func negate() {
    var carry = true
    for limb in indices {
      let (sum, overflow) = (~self[limb]).addingReportingOverflow(carry ? 1 : 0)
      self[limb] = sum
      carry = overflow
    }
  }
}
