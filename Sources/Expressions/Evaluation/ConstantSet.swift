internal import Columns

/// The constants of an `in (…)`, sorted. All are of one type.
struct ConstantSet: Hashable, Sendable {
  private(set) var integers: [Int64] = []
  private(set) var doubles: [Double] = []
  private(set) var decimals: [Int128] = []
  private(set) var texts: [[UInt8]] = []
  /// A value that is not found is then perhaps equal to the null: unknown.
  private(set) var hasNull = false
  /// For the normal form.
  let values: [Value]

  init(_ values: [Value]) {
    self.values = values.sorted { "\($0)" < "\($1)" }
    for value in values {
      let constant = Constant(value)
      switch value {
      case .null, .list: hasNull = true
      case .boolean, .integer, .timestamp, .date: integers.append(constant.integer)
      case .double: doubles.append(constant.double)
      case .decimal: decimals.append(constant.decimal)
      case .string, .bytes: texts.append(constant.text)
      }
    }
    integers.sort()
    doubles.sort()
    decimals.sort()
    texts.sort { $0.lexicographicallyPrecedes($1) }
  }

  /// Binary search in a sorted array.
  @inline(__always)
  static func contains<Element: Comparable>(_ value: Element, in sorted: [Element]) -> Bool {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == value
  }

  func contains(_ text: Text.Bytes) -> Bool {
    var (low, high) = (0, texts.count)
    while low < high {
      let middle = (low + high) / 2
      let order = unsafe texts[middle].withUnsafeBufferPointer { unsafe Text.order($0, text) }
      if order == 0 { return true }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return false
  }
}
