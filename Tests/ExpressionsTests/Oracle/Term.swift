import Columns

/// A random expression: its text, and what it means for one row, written down as plainly as possible.
struct Term {
  var text: String
  var type: ColumnType
  var value: ([Value]) -> Value

  static func literal(_ text: String, _ type: ColumnType, _ value: Value) -> Term {
    Term(text: text, type: type) { _ in value }
  }
}

/// The language by its definition, one value at a time.
enum Meaning {
  /// Null in, null out.
  static func strict(_ terms: [Term], _ type: ColumnType, _ text: String, _ meaning: @escaping ([Value]) -> Value)
    -> Term
  {
    Term(text: text, type: type) { row in
      let values = terms.map { $0.value(row) }
      return values.contains(.null) ? .null : meaning(values)
    }
  }

  static func double(_ value: Double) -> Value { value.isFinite ? .double(value) : .null }

  static func integer(_ result: (partialValue: Int64, overflow: Bool)) -> Value {
    result.overflow ? .null : .integer(result.partialValue)
  }

  static func asDouble(_ value: Value) -> Double {
    switch value {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: .nan
    }
  }

  static func arithmetic(_ symbol: String, _ a: Value, _ b: Value) -> Value {
    if case (.integer(let a), .integer(let b)) = (a, b), symbol != "/" {
      switch symbol {
      case "+": return integer(a.addingReportingOverflow(b))
      case "-": return integer(a.subtractingReportingOverflow(b))
      case "*": return integer(a.multipliedReportingOverflow(by: b))
      case "//": return b == 0 ? .null : integer(a.dividedReportingOverflow(by: b))
      default: return b == 0 ? .null : .integer(b == -1 ? 0 : a % b)
      }
    }
    let (x, y) = (asDouble(a), asDouble(b))
    switch symbol {
    case "+": return double(x + y)
    case "-": return double(x - y)
    case "*": return double(x * y)
    case "/": return double(x / y)
    default: return double(x.truncatingRemainder(dividingBy: y))
    }
  }

  /// -1, 0, 1. NaN is equal to itself and greater than everything else.
  static func order(_ a: Value, _ b: Value) -> Int {
    switch (a, b) {
    case (.integer(let a), .integer(let b)), (.timestamp(let a), .timestamp(let b)), (.date(let a), .date(let b)):
      return a < b ? -1 : a > b ? 1 : 0
    case (.boolean(let a), .boolean(let b)): return (a ? 1 : 0) - (b ? 1 : 0)
    case (.string(let a), .string(let b)):
      let (x, y) = (Array(a.utf8), Array(b.utf8))
      return x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
    default:
      let (x, y) = (asDouble(a), asDouble(b))
      if x.isNaN || y.isNaN { return (x.isNaN ? 1 : 0) - (y.isNaN ? 1 : 0) }
      return x < y ? -1 : x > y ? 1 : 0
    }
  }

  static func compare(_ symbol: String, _ a: Value, _ b: Value) -> Value {
    let order = order(a, b)
    switch symbol {
    case "=": return .boolean(order == 0)
    case "!=": return .boolean(order != 0)
    case "<": return .boolean(order < 0)
    case "<=": return .boolean(order <= 0)
    case ">": return .boolean(order > 0)
    default: return .boolean(order >= 0)
    }
  }

  static func and(_ a: Value, _ b: Value) -> Value {
    if a == .boolean(false) || b == .boolean(false) { return .boolean(false) }
    return a == .null || b == .null ? .null : .boolean(true)
  }

  static func not(_ a: Value) -> Value {
    if case .boolean(let value) = a { .boolean(!value) } else { .null }
  }

  static func or(_ a: Value, _ b: Value) -> Value { not(and(not(a), not(b))) }

  /// An integer among doubles becomes a double.
  static func convert(_ value: Value, to type: ColumnType) -> Value {
    if case (.integer(let integer), .double) = (value, type) { .double(Double(integer)) } else { value }
  }
}
