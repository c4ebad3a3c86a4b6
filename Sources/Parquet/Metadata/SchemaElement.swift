/// `SchemaElement` of parquet.thrift: the tree of fields, flattened depth first.
struct SchemaElement {
  var type: Int32?
  var typeLength: Int32?
  var repetition: Int32?
  var name = ""
  var childCount: Int32?
  var convertedType: Int32?
  var scale: Int32?
  var precision: Int32?
  var fieldID: Int32?
  var logicalType: ParquetLogicalType?

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: type = try reader.integer32(field.type)
      case 2: typeLength = try reader.integer32(field.type)
      case 3: repetition = try reader.integer32(field.type)
      case 4: name = try reader.string(field.type)
      case 5: childCount = try reader.integer32(field.type)
      case 6: convertedType = try reader.integer32(field.type)
      case 7: scale = try reader.integer32(field.type)
      case 8: precision = try reader.integer32(field.type)
      case 9: fieldID = try reader.integer32(field.type)
      case 10 where field.type == .structure: logicalType = try ParquetLogicalType(reading: &reader)
      default: try reader.skip(field.type)
      }
    }
  }
}

extension ParquetLogicalType {
  /// The union: one field, whose id names the type.
  init?(reading reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    var found: ParquetLogicalType?
    while let field = try reader.nextField(after: &last) {
      guard field.type == .structure else { throw reader.broken("a logical type that is no structure") }
      switch field.id {
      case 5: found = try Self.decimal(&reader)
      case 7:
        let (unit, isUTC) = try Self.timeParameters(&reader)
        found = unit.map { .time($0, isUTC: isUTC) } ?? .unsupported("TIME of an unknown unit")
      case 8:
        let (unit, isUTC) = try Self.timeParameters(&reader)
        found = unit.map { .timestamp($0, isUTC: isUTC) } ?? .unsupported("TIMESTAMP of an unknown unit")
      case 10: found = try Self.integer(&reader)
      default:
        try reader.skip(.structure)
        found = Self.plain[field.id] ?? .unsupported("logical type \(field.id)")
      }
    }
    guard let found else { return nil }
    self = found
  }

  /// Those without parameters, and those that are only known by name.
  private static let plain: [Int16: ParquetLogicalType] = [
    1: .string, 2: .map, 3: .list, 4: .enumeration, 6: .date, 11: .unknown, 12: .json, 13: .bson, 14: .uuid,
    15: .float16, 16: .unsupported("VARIANT"), 17: .unsupported("GEOMETRY"), 18: .unsupported("GEOGRAPHY"),
  ]

  private static func decimal(_ reader: inout CompactReader) throws(ParquetFault) -> ParquetLogicalType {
    var (scale, precision): (Int32, Int32) = (0, 0)
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: scale = try reader.integer32(field.type)
      case 2: precision = try reader.integer32(field.type)
      default: try reader.skip(field.type)
      }
    }
    return .decimal(precision: Int(precision), scale: Int(scale))
  }

  private static func timeParameters(
    _ reader: inout CompactReader
  ) throws(ParquetFault) -> (unit: ParquetTimeUnit?, isUTC: Bool) {
    var isUTC = false
    var unit: ParquetTimeUnit?
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: isUTC = try reader.boolean(field.type)
      case 2 where field.type == .structure:
        var lastUnit: Int16 = 0
        while let choice = try reader.nextField(after: &lastUnit) {
          unit = [1: .milliseconds, 2: .microseconds, 3: .nanoseconds][choice.id]
          try reader.skip(choice.type)
        }
      default: try reader.skip(field.type)
      }
    }
    return (unit, isUTC)
  }

  private static func integer(_ reader: inout CompactReader) throws(ParquetFault) -> ParquetLogicalType {
    var bits: Int64 = 0
    var isSigned = true
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: bits = try reader.integer(field.type)
      case 2: isSigned = try reader.boolean(field.type)
      default: try reader.skip(field.type)
      }
    }
    guard [8, 16, 32, 64].contains(bits) else { return .unsupported("INTEGER of \(bits) bits") }
    return .integer(bits: Int(bits), isSigned: isSigned)
  }
}
