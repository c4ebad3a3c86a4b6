/// `Statistics` of parquet.thrift: bounds in PLAIN encoding, without the length in front of a string.
struct StoredStatistics: Sendable {
  /// Of old writers, whose order was that of signed bytes: not to be trusted for strings.
  var oldMaximum: [UInt8]?
  var oldMinimum: [UInt8]?
  var nullCount: Int?
  var maximum: [UInt8]?
  var minimum: [UInt8]?
  var isMaximumExact: Bool?
  var isMinimumExact: Bool?

  init() {}

  init(_ reader: inout CompactReader) throws(ParquetFault) {
    var last: Int16 = 0
    while let field = try reader.nextField(after: &last) {
      switch field.id {
      case 1: oldMaximum = try reader.binary(field.type)
      case 2: oldMinimum = try reader.binary(field.type)
      case 3: nullCount = try reader.size(field.type)
      case 5: maximum = try reader.binary(field.type)
      case 6: minimum = try reader.binary(field.type)
      case 7: isMaximumExact = try reader.boolean(field.type)
      case 8: isMinimumExact = try reader.boolean(field.type)
      default: try reader.skip(field.type)
      }
    }
  }

  func write(to writer: inout CompactWriter) {
    if let nullCount { writer.integer64(3, nullCount) }
    if let maximum { writer.binary(5, maximum) }
    if let minimum { writer.binary(6, minimum) }
    if let isMaximumExact { writer.boolean(7, isMaximumExact) }
    if let isMinimumExact { writer.boolean(8, isMinimumExact) }
  }
}
