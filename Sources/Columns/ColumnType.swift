/// The type of a column: what a schema, an expression and an aggregate agree on.
package enum ColumnType: Hashable, Sendable {
  case boolean
  /// 64-bit signed; narrower integers of a schema are widened.
  case integer
  /// IEEE 754 binary64; single precision is widened.
  case double
  case string
  case bytes
  /// Microseconds since 1970-01-01T00:00:00Z.
  case timestamp
  /// Days since 1970-01-01.
  case date
  /// An unscaled 128-bit integer times ten to the power of `-scale`; at most 38 digits.
  case decimal(scale: Int)

  /// Which of a column's buffers holds the values.
  package enum Storage: Sendable { case integers, doubles, text, decimals }

  package var storage: Storage {
    switch self {
    case .boolean, .integer, .timestamp, .date: .integers
    case .double: .doubles
    case .string, .bytes: .text
    case .decimal: .decimals
    }
  }

  package var isNumeric: Bool {
    switch self {
    case .integer, .double, .decimal: true
    default: false
    }
  }
}

extension ColumnType: CustomStringConvertible {
  package var description: String {
    switch self {
    case .boolean: "boolean"
    case .integer: "integer"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .date: "date"
    case .decimal(let scale): "decimal(\(scale))"
    }
  }
}
