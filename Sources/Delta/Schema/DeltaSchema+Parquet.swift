internal import Columns
internal import Core
internal import Parquet

extension DeltaField {
  /// How new files hold the column (PROTOCOL.md, "Delta Data Type to Parquet Type Mappings").
  func parquetField(_ place: String) throws(HeadraceError) -> ParquetField {
    switch type {
    case .byte, .short, .integer: return .integer32(name, isNullable: isNullable)
    case .float: return .float(name, isNullable: isNullable)
    case .decimal(let precision, let scale):
      return .column(name, .decimal(scale: scale), isNullable: isNullable, decimalPrecision: precision)
    default:
      guard let columnType = type.columnType else {
        throw .unsupportedTable("column \"\(name)\" is of type \(type.name), which is not written", place)
      }
      return .column(name, columnType, isNullable: isNullable)
    }
  }
}
