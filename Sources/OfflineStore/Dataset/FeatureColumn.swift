internal import Core
package import Columns
package import Features

/// One feature of a dataset: a value for each label, set in any order.
package struct FeatureColumn: Sendable {
  package let name: String
  package let type: FeatureType
  private var isValid: [Bool]
  /// Numbers as their bits: of integers, doubles, timestamps, dates and booleans.
  private var words: [UInt64] = []
  /// Everything else.
  private var values: [Value] = []

  package init(name: String, type: FeatureType, rowCount: Int) {
    self.name = name
    self.type = type
    isValid = [Bool](repeating: false, count: rowCount)
    if hasWords {
      words = [UInt64](repeating: 0, count: rowCount)
    } else {
      values = [Value](repeating: .null, count: rowCount)
    }
  }

  private var hasWords: Bool {
    guard !type.isList else { return false }
    return type.element.storage == .integers || type.element.storage == .doubles
  }

  /// - Parameter value: of the column's type, or null.
  package mutating func set(_ row: Int, _ value: Value) {
    isValid[row] = value != .null
    switch value {
    case .integer(let number), .timestamp(let number), .date(let number): words[row] = UInt64(bitPattern: number)
    case .boolean(let flag): words[row] = flag ? 1 : 0
    case .double(let number): words[row] = number.bitPattern
    case .null: break
    default: values[row] = value
    }
  }

  package func value(_ row: Int) -> Value {
    guard isValid[row] else { return .null }
    guard hasWords else { return values[row] }
    let number = Int64(bitPattern: words[row])
    return switch type.element {
    case .boolean: .boolean(number != 0)
    case .timestamp: .timestamp(number)
    case .date: .date(number)
    case .double: .double(Double(bitPattern: words[row]))
    default: .integer(number)
    }
  }

  package var nullCount: Int { isValid.count { !$0 } }
}
