internal import Columns

extension ViewLayout {
  /// A feature over its cells, as its type.
  func value(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, at time: Int64,
    _ flags: inout FeatureFlags
  ) -> Value {
    let count = count(row, feature, cells)
    if case .count = feature.function { return .integer(Int64(truncatingIfNeeded: count)) }
    guard count > 0 || feature.function.hasValueOfNone else { return .null }
    switch feature.function {
    case .sum where feature.type.element != .double: return integerSum(row, feature, cells)
    case .minimum, .maximum: return extreme(row, feature, cells)
    case .first, .last: return positioned(row, feature, cells)
    case .lastK(let most): return newest(row, feature, cells, most)
    case .topK(let most): return mostFrequent(row, feature, cells, most, &flags)
    case .countDistinct: return .integer(row.distinctCount(cells, slot: feature.slotOffset))
    default: return number(row, feature, cells, at: time).map { .double($0) } ?? .null
    }
  }

  /// A feature over its cells as a number; nil when it is null or no number.
  func number(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, at time: Int64) -> Double? {
    var totals = CellTotals()
    return number(row, feature, cells, at: time, &totals)
  }

  /// As above, for features that are read of the same cells one after the other.
  func number(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, at time: Int64,
    _ totals: inout CellTotals
  ) -> Double? {
    if totals.countOffset != feature.countOffset {
      totals.countOffset = feature.countOffset
      totals.count = count(row, feature, cells)
    }
    let count = totals.count
    if case .count = feature.function { return Double(count) }
    guard count > 0 || feature.function.hasValueOfNone else { return nil }
    switch feature.function {
    case .sum:
      return total(row, feature, cells, &totals).divided(by: DecimalScale.power(feature.scale))
    case .mean:
      return total(row, feature, cells, &totals).divided(by: Double(count) * DecimalScale.power(feature.scale))
    case .rate(let unit):
      return rate(count, feature, unit, at: time)
    case .variance: return variance(row, feature, cells, &totals)?.value
    case .standardDeviation: return variance(row, feature, cells, &totals)?.squareRoot.value
    case .ewma(let halfLife): return decayedMean(row, feature, cells, halfLife)
    case .percentile(let fraction): return merged(row, feature, cells).quantile(fraction, at: Self.mergedSlot)
    case .countDistinct: return Double(row.distinctCount(cells, slot: feature.slotOffset))
    case .minimum, .maximum: return extreme(row, feature, cells).number
    case .first, .last: return positioned(row, feature, cells).number
    case .count, .lastK, .topK: return nil
    }
  }

  private func count(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> UInt64 {
    var count: UInt64 = 0
    for cell in 0..<cells.count { count &+= row.load(cells[cell] + feature.countOffset, as: UInt64.self) }
    return count
  }

  /// Events per unit of the time that the window covers: its head is as long as the time since the last hop.
  private func rate(_ count: UInt64, _ feature: FeaturePlan, _ unit: Int64, at time: Int64) -> Double {
    let head = feature.isTumbling ? 0 : time.subtractingSaturating(time.flooredSaturating(feature.tail.hop))
    return Double(count) * Double(unit) / Double(feature.tail.length.addingSaturating(head))
  }

  private func total(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, _ totals: inout CellTotals
  ) -> ExactTotal {
    if totals.sumOffset == feature.slotOffset, let sum = totals.sum { return sum }
    let sum = total(row, feature, cells)
    (totals.sumOffset, totals.sum) = (feature.slotOffset, sum)
    return sum
  }

  private func total(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange
  ) -> ExactTotal {
    switch feature.slot?.kind {
    case .sumDouble: ExactTotal(row, cells, slot: feature.slotOffset, .sum)
    case .sumDecimal: ExactTotal(row, cells, slot: feature.slotOffset, .decimalSum)
    default: ExactTotal(integerTotal(row, feature, cells))
    }
  }

  private func integerTotal(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Int128 {
    var total: Int128 = 0
    for cell in 0..<cells.count { total &+= row.load(cells[cell] + feature.slotOffset, as: Int128.self) }
    return total
  }

  /// The sum of integers or decimals; null when it does not fit its type.
  private func integerSum(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    if case .decimal(let scale) = feature.type.element {
      return total(row, feature, cells).integer.map { .decimal(unscaled: $0, scale: scale) } ?? .null
    }
    return Int64(exactly: integerTotal(row, feature, cells)).map { .integer($0) } ?? .null
  }

  private func variance(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, _ totals: inout CellTotals
  ) -> ScaledDouble? {
    guard let squares = feature.squares else { return nil }
    return Variance.sample(
      count: totals.count, sum: total(row, feature, cells, &totals),
      squares: ExactTotal(row, cells, slot: squares.offset, .squares))
  }

  /// Each tile's weighted mean, with the tile's weight as of the end of the newest tile.
  private func decayedMean(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, _ halfLife: Int64
  ) -> Double? {
    let region = regions[feature.region]
    var newest: Int64?
    var (sum, weights) = (0.0, 0.0)
    for index in (0..<cells.count).reversed() {
      let cell = cells[index]
      guard row.load(cell + feature.countOffset, as: UInt64.self) != 0 else { continue }
      let landmark = landmark(row, cell, region)
      newest = newest ?? landmark
      let one = CellRange(start: cell, count: 1, stride: cells.stride)
      let values = ExactTotal(row, one, slot: feature.slotOffset, .sum)
      let own = ExactTotal(row, one, slot: feature.slotOffset + LimbFormat.sum.sizeBytes, .sum).rounded
      let age = (newest ?? landmark).subtractingSaturating(landmark)
      let weight = own * DecayedSum.weight(age: age, halfLife: halfLife)
      guard weight > 0 else { continue }
      weights += weight
      // A mean of means: no product of a value and a weight above 1 is made, so nothing overflows.
      sum += (values.divided(by: own) - sum) * (weight / weights)
    }
    return weights > 0 ? sum : nil
  }
}

/// What features that are read of the same cells one after the other have in common.
struct CellTotals {
  fileprivate var countOffset = -1
  fileprivate var count: UInt64 = 0
  fileprivate var sumOffset = -1
  fileprivate var sum: ExactTotal?
}

extension AggregateFunction {
  /// Whether it is a number for no events at all.
  var hasValueOfNone: Bool {
    switch self {
    case .count, .countDistinct, .rate: true
    default: false
    }
  }
}

extension Value {
  /// A value of 8 bytes.
  init(word: UInt64, _ type: ColumnType) {
    let integer = Int64(bitPattern: word)
    switch type {
    case .boolean: self = .boolean(integer != 0)
    case .double: self = .double(Double(bitPattern: word))
    case .timestamp: self = .timestamp(integer)
    case .date: self = .date(integer)
    default: self = .integer(integer)
    }
  }

  init(_ bytes: borrowing RawSpan, _ type: ColumnType) {
    let copied = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    self = type == .bytes ? .bytes(copied) : .string(String(decoding: copied, as: UTF8.self))
  }

  /// The value as a number; nil of null and of what is none.
  package var number: Double? {
    switch self {
    case .boolean(let value): value ? 1 : 0
    case .integer(let value), .timestamp(let value), .date(let value): Double(value)
    case .double(let value): value
    case .decimal(let unscaled, let scale): Double(unscaled) / DecimalScale.power(scale)
    case .null, .string, .bytes, .list: nil
    }
  }
}
