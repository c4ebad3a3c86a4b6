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
    default: return number(row, feature, cells, at: time).map { .double($0) } ?? .null
    }
  }

  /// A feature over its cells as a number; nil when it is null or no number.
  func number(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange, at time: Int64) -> Double? {
    let count = count(row, feature, cells)
    if case .count = feature.function { return Double(count) }
    guard count > 0 || feature.function.hasValueOfNone else { return nil }
    switch feature.function {
    case .sum:
      return total(row, feature, cells).divided(by: DecimalScale.power(feature.scale))
    case .mean:
      return total(row, feature, cells).divided(by: Double(count) * DecimalScale.power(feature.scale))
    case .rate(let unit):
      return rate(count, feature, unit, at: time)
    case .minimum, .maximum: return extreme(row, feature, cells).number
    case .first, .last: return positioned(row, feature, cells).number
    default: return nil
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

  private func total(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> ExactTotal {
    switch feature.kind {
    case .sumDouble: ExactTotal(row, cells, slot: feature.slot, .sum)
    case .sumDecimal: ExactTotal(row, cells, slot: feature.slot, .decimalSum)
    default: ExactTotal(integerTotal(row, feature, cells))
    }
  }

  private func integerTotal(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Int128 {
    var total: Int128 = 0
    for cell in 0..<cells.count { total &+= row.load(cells[cell] + feature.slot, as: Int128.self) }
    return total
  }

  /// The sum of integers or decimals; null when it does not fit its type.
  private func integerSum(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    if case .decimal(let scale) = feature.type.element {
      return total(row, feature, cells).integer.map { .decimal(unscaled: $0, scale: scale) } ?? .null
    }
    return Int64(exactly: integerTotal(row, feature, cells)).map { .integer($0) } ?? .null
  }

  private func extreme(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    switch feature.kind {
    case .minimumDecimal, .maximumDecimal:
      let found: Int128? = extremeNumber(row, feature, cells)
      return found.map { .decimal(unscaled: $0, scale: feature.scale) } ?? .null
    case .minimumText, .maximumText:
      return extremeText(row, feature, cells)
    case .minimumDouble, .maximumDouble:
      let found: Int64? = extremeNumber(row, feature, cells)
      return found.map { .double(OrderedDouble.value($0)) } ?? .null
    default:
      let found: Int64? = extremeNumber(row, feature, cells)
      return found.map { Value(word: UInt64(bitPattern: $0), feature.type.element) } ?? .null
    }
  }

  private func extremeNumber<Number: FixedWidthInteger & BitwiseCopyable>(
    _ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange
  ) -> Number? {
    let wantsGreater = feature.function == .maximum
    var found: Number?
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let value: Number = row.load(cells[cell] + feature.slot)
      if let best = found, wantsGreater ? value <= best : value >= best { continue }
      found = value
    }
    return found
  }

  private func extremeText(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    let wantsGreater = feature.function == .maximum
    var best: UInt32?
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let block: UInt32 = row.load(cells[cell] + feature.slot)
      if let best {
        let order = ByteOrder.compare(row.blockBytes(block), row.blockBytes(best))
        if wantsGreater ? order <= 0 : order >= 0 { continue }
      }
      best = block
    }
    return best.map { Value(row.blockBytes($0), feature.type.element) } ?? .null
  }

  private func positioned(_ row: borrowing FeatureRow, _ feature: FeaturePlan, _ cells: CellRange) -> Value {
    var found = -1
    for cell in 0..<cells.count where row.load(cells[cell] + feature.countOffset, as: UInt64.self) != 0 {
      let slot = cells[cell] + feature.slot
      let isBetter =
        found < 0
        || (feature.function == .last
          ? row.order(at: found) < row.order(at: slot) : row.order(at: slot) < row.order(at: found))
      if isBetter { found = slot }
    }
    guard found >= 0 else { return .null }
    switch feature.kind {
    case .firstText, .lastText:
      return Value(row.blockBytes(row.load(found + PositionedSlot.block)), feature.type.element)
    case .firstDecimal, .lastDecimal:
      return .decimal(unscaled: row.load(found + PositionedSlot.value), scale: feature.scale)
    default:
      return Value(word: row.load(found + PositionedSlot.value), feature.type.element)
    }
  }
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
  var number: Double? {
    switch self {
    case .boolean(let value): value ? 1 : 0
    case .integer(let value), .timestamp(let value), .date(let value): Double(value)
    case .double(let value): value
    case .decimal(let unscaled, let scale): Double(unscaled) / DecimalScale.power(scale)
    case .null, .string, .bytes, .list: nil
    }
  }
}
