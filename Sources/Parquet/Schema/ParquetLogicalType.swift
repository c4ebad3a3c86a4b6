/// What a stored value means: the union `LogicalType` of parquet.thrift, and what its older `ConvertedType` can say.
package enum ParquetLogicalType: Hashable, Sendable {
  case string
  case map
  case list
  case enumeration
  case decimal(precision: Int, scale: Int)
  case date
  case time(ParquetTimeUnit, isUTC: Bool)
  case timestamp(ParquetTimeUnit, isUTC: Bool)
  case integer(bits: Int, isSigned: Bool)
  /// A column of nulls only.
  case unknown
  case json
  case bson
  case uuid
  case float16
  /// One that Headrace does not read; columns of it are refused by this name, others of the file are read.
  case unsupported(String)
}

package enum ParquetTimeUnit: Hashable, Sendable {
  case milliseconds, microseconds, nanoseconds
}

extension ParquetLogicalType {
  /// `ConvertedType` of parquet.thrift, for readers that know nothing newer; nil where it has no word for it.
  var convertedType: Int32? {
    switch self {
    case .string: 0
    case .map: 1
    case .list: 3
    case .enumeration: 4
    case .decimal: 5
    case .date: 6
    case .time(.milliseconds, isUTC: true): 7
    case .time(.microseconds, isUTC: true): 8
    case .timestamp(.milliseconds, isUTC: true): 9
    case .timestamp(.microseconds, isUTC: true): 10
    case .integer(bits: 8, let isSigned): isSigned ? 15 : 11
    case .integer(bits: 16, let isSigned): isSigned ? 16 : 12
    case .integer(bits: 32, let isSigned): isSigned ? 17 : 13
    case .integer(bits: 64, let isSigned): isSigned ? 18 : 14
    case .json: 19
    case .bson: 20
    case .time, .timestamp, .integer, .unknown, .uuid, .float16, .unsupported: nil
    }
  }

  /// What an old file says with `ConvertedType` alone.
  init?(convertedType: Int32, precision: Int32?, scale: Int32?) {
    switch convertedType {
    case 0: self = .string
    // 2 is MAP_KEY_VALUE, which some writers put where MAP belongs.
    case 1, 2: self = .map
    case 3: self = .list
    case 4: self = .enumeration
    case 5: self = .decimal(precision: Int(precision ?? 0), scale: Int(scale ?? 0))
    case 6: self = .date
    case 7: self = .time(.milliseconds, isUTC: true)
    case 8: self = .time(.microseconds, isUTC: true)
    case 9: self = .timestamp(.milliseconds, isUTC: true)
    case 10: self = .timestamp(.microseconds, isUTC: true)
    case 11...14: self = .integer(bits: 8 << Int(convertedType - 11), isSigned: false)
    case 15...18: self = .integer(bits: 8 << Int(convertedType - 15), isSigned: true)
    case 19: self = .json
    case 20: self = .bson
    case 21: self = .unsupported("INTERVAL")
    default: return nil
    }
  }
}
