/// One value outside of a column: a literal, a feature that is read, a row of a test.
package enum Value: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  /// Microseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
  /// Days since 1970-01-01.
  case date(Int64)
  case decimal(unscaled: Int128, scale: Int)
  /// What aggregates such as `last_k` and `topk` give.
  case list([Value])
}

extension Column {
  /// The value of a row; for edges and tests, not for loops over events.
  package func value(_ row: Int) -> Value {
    guard isValid[row] else { return .null }
    return switch type {
    case .boolean: .boolean(integers[row] != 0)
    case .integer: .integer(integers[row])
    case .timestamp: .timestamp(integers[row])
    case .date: .date(integers[row])
    case .double: .double(doubles[row])
    case .string: .string(text.string(row))
    case .bytes: .bytes(Array(text.bytes[text.range(row)]))
    case .decimal(let scale): .decimal(unscaled: decimals[row], scale: scale)
    }
  }

  /// Appends a value of this column's type, or null.
  ///
  /// - Returns: false, and nothing appended, when the value is of another type.
  package mutating func append(_ value: Value) -> Bool {
    switch (value, type) {
    case (.null, _): appendNull()
    case (.boolean(let value), .boolean): append(value)
    case (.integer(let value), .integer), (.timestamp(let value), .timestamp), (.date(let value), .date): append(value)
    case (.double(let value), .double): append(value)
    case (.string(let value), .string): append(value)
    case (.bytes(let value), .bytes): unsafe append(value.span.bytes)
    case (.decimal(let unscaled, let scale), .decimal(let wanted)) where scale == wanted: append(unscaled)
    default: return false
    }
    return true
  }
}
