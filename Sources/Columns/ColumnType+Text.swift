extension ColumnType {
  /// The type that `description` wrote; nil when it is none.
  package init?(_ text: String) {
    switch text {
    case "boolean": self = .boolean
    case "integer": self = .integer
    case "double": self = .double
    case "string": self = .string
    case "bytes": self = .bytes
    case "timestamp": self = .timestamp
    case "date": self = .date
    default:
      guard text.hasPrefix("decimal("), text.hasSuffix(")"),
        let scale = Int(text.dropFirst("decimal(".count).dropLast()), (0...38).contains(scale)
      else { return nil }
      self = .decimal(scale: scale)
    }
  }
}
