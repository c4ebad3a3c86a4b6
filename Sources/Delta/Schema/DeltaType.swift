package import Columns

/// The type of a column as Delta's schema says it (PROTOCOL.md, "Schema Serialization Format").
package indirect enum DeltaType: Hashable, Sendable {
  case boolean, byte, short, integer, long, float, double, string, binary, date
  /// Microseconds of UTC.
  case timestamp
  case decimal(precision: Int, scale: Int)
  case structure([DeltaField])
  case list(DeltaType, containsNull: Bool)
  case map(DeltaType, DeltaType, valueContainsNull: Bool)
  /// A name that this module gives no meaning to.
  case other(String)

  /// How rows of it lie in a `ColumnBatch`; nil for what does not: nested and unknown types.
  package var columnType: ColumnType? {
    switch self {
    case .boolean: .boolean
    case .byte, .short, .integer, .long: .integer
    case .float, .double: .double
    case .string: .string
    case .binary: .bytes
    case .date: .date
    case .timestamp: .timestamp
    case .decimal(_, let scale): .decimal(scale: scale)
    case .structure, .list, .map, .other: nil
    }
  }

  /// The type of new columns.
  package init(_ type: ColumnType, decimalPrecision: Int = 38) {
    self =
      switch type {
      case .boolean: .boolean
      case .integer: .long
      case .double: .double
      case .string: .string
      case .bytes: .binary
      case .timestamp: .timestamp
      case .date: .date
      case .decimal(let scale): .decimal(precision: decimalPrecision, scale: scale)
      }
  }

  /// What it is, in an error's words.
  package var name: String {
    switch self {
    case .boolean: "boolean"
    case .byte: "byte"
    case .short: "short"
    case .integer: "integer"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .string: "string"
    case .binary: "binary"
    case .date: "date"
    case .timestamp: "timestamp"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .structure: "struct"
    case .list: "array"
    case .map: "map"
    case .other(let name): name
    }
  }

  init(primitive name: String) {
    self =
      switch name {
      case "boolean": .boolean
      case "byte": .byte
      case "short": .short
      case "integer": .integer
      case "long": .long
      case "float": .float
      case "double": .double
      case "string": .string
      case "binary": .binary
      case "date": .date
      case "timestamp": .timestamp
      default: Self.decimal(name) ?? .other(name)
      }
  }

  /// `decimal(38,18)`; a bare `decimal` is `decimal(10,0)`, as in Spark.
  private static func decimal(_ name: String) -> DeltaType? {
    if name == "decimal" { return .decimal(precision: 10, scale: 0) }
    guard name.hasPrefix("decimal("), name.hasSuffix(")") else { return nil }
    let numbers = name.dropFirst(8).dropLast().split(separator: ",").map { part in
      Int(String(part.filter { $0 != " " }))
    }
    guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1], (1...38).contains(precision),
      (0...precision).contains(scale)
    else { return nil }
    return .decimal(precision: precision, scale: scale)
  }
}

/// A column, or a field of a nested one.
package struct DeltaField: Hashable, Sendable {
  package var name: String
  package var type: DeltaType
  package var isNullable: Bool
  /// A JSON object: kept as it was found.
  package var metadata: String

  package init(_ name: String, _ type: DeltaType, isNullable: Bool = true, metadata: String = "{}") {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.metadata = metadata
  }
}
