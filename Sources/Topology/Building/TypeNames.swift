internal import Columns

extension ColumnType {
  /// The types that a topology file can name, for `request:`.
  static let names = ["boolean", "integer", "double", "string", "timestamp", "date"]

  init?(name: String) {
    switch name {
    case "boolean": self = .boolean
    case "integer": self = .integer
    case "double": self = .double
    case "string": self = .string
    case "timestamp": self = .timestamp
    case "date": self = .date
    default: return nil
    }
  }
}
