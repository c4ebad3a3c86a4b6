package import Columns

/// A column as it is stored: a leaf of the schema's tree with the levels of its ancestors.
package struct ParquetLeaf: Hashable, Sendable {
  /// Its place among the leaves, and among the column chunks of every row group.
  package let index: Int
  package let path: [String]
  package let physicalType: ParquetPhysicalType
  /// Bytes of a fixed-length value; 0 for every other type.
  package let length: Int
  package let logicalType: ParquetLogicalType?
  package let repetition: ParquetRepetition
  /// How many of its path's fields are optional or repeated: the level of a value that is there.
  package let maximumDefinitionLevel: Int
  /// How many of its path's fields are repeated; 0: one value or null in each row.
  package let maximumRepetitionLevel: Int

  /// The path with dots between its names.
  package var name: String { path.joined(separator: ".") }

  /// Bytes of one value where all have the same; nil for booleans and strings.
  var fixedWidthBytes: Int? {
    physicalType == .fixedLengthByteArray ? length : physicalType.fixedWidthBytes
  }
}

extension ParquetLeaf {
  /// What its values are in memory; nil for a type that Headrace does not read.
  ///
  /// Unsigned numbers of 64 bits become decimals, times of day integers in their unit, milliseconds and nanoseconds
  /// microseconds (nanoseconds are cut), local timestamps are taken as UTC, UUIDs text.
  package var columnType: ColumnType? {
    switch (physicalType, logicalType) {
    case (_, .unsupported), (_, .float16): nil
    case (.boolean, _): .boolean
    case (.int32, .date): .date
    case (.int32, .decimal(_, let scale)), (.int64, .decimal(_, let scale)): .decimal(scale: scale)
    case (.byteArray, .decimal(_, let scale)): .decimal(scale: scale)
    case (.fixedLengthByteArray, .decimal(_, let scale)): length <= 16 ? .decimal(scale: scale) : nil
    case (.int64, .timestamp), (.int96, _): .timestamp
    case (.int64, .integer(bits: 64, isSigned: false)): .decimal(scale: 0)
    case (.int32, _), (.int64, _): .integer
    case (.float, _), (.double, _): .double
    case (.byteArray, .string), (.byteArray, .enumeration), (.byteArray, .json): .string
    case (.byteArray, _): .bytes
    case (.fixedLengthByteArray, .uuid): length == 16 ? .string : nil
    case (.fixedLengthByteArray, _): .bytes
    }
  }

  /// Whether Headrace writes the type: those that it maps one to one.
  var isWritable: Bool {
    switch ValueConversion(self) {
    case .none, .decimalOfNumber: true
    case .decimalOfBytes: physicalType == .fixedLengthByteArray
    case .milliseconds, .nanoseconds, .int96, .unsigned64, .uuid: false
    }
  }

  /// What Headrace cannot read about it, by name.
  var refusedTypeName: String {
    switch logicalType {
    case .unsupported(let name): name
    case .float16: "FLOAT16"
    case .some(let type): "\(physicalType) of \(length) bytes as \(type)"
    case nil: "\(physicalType)"
    }
  }

  /// Why no value can be of this type, if so.
  var contradiction: String? {
    if physicalType == .fixedLengthByteArray {
      guard (1...ParquetLimits.maximumFixedLengthBytes).contains(length) else {
        return "values of \(length) bytes; from 1 to \(ParquetLimits.maximumFixedLengthBytes) can be read"
      }
    }
    guard case .decimal(let precision, let scale) = logicalType else { return nil }
    guard (1...DecimalWidth.maximumPrecision).contains(precision), (0...precision).contains(scale) else {
      return "decimal(\(precision), \(scale)); 1 to \(DecimalWidth.maximumPrecision) digits can be read"
    }
    return switch physicalType {
    case .int32 where precision > 9, .int64 where precision > 18:
      "decimal(\(precision), \(scale)) does not fit into \(physicalType)"
    case .fixedLengthByteArray where length < DecimalWidth.bytes(precision: precision):
      "decimal(\(precision), \(scale)) does not fit into \(length) bytes"
    case .boolean, .int96, .float, .double: "a decimal stored as \(physicalType)"
    default: nil
    }
  }
}
