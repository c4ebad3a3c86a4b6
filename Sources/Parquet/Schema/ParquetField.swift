package import Columns

/// A node of a schema's tree: a column of values, or a group of fields.
package struct ParquetField: Hashable, Sendable {
  package indirect enum Content: Hashable, Sendable {
    /// `length` counts the bytes of a fixed-length value; 0 for every other type.
    case leaf(ParquetPhysicalType, length: Int)
    case group([ParquetField])
  }

  package var name: String
  package var repetition: ParquetRepetition
  package var content: Content
  package var logicalType: ParquetLogicalType?
  package var fieldID: Int32?

  package init(
    name: String, repetition: ParquetRepetition, content: Content, logicalType: ParquetLogicalType? = nil,
    fieldID: Int32? = nil
  ) {
    self.name = name
    self.repetition = repetition
    self.content = content
    self.logicalType = logicalType
    self.fieldID = fieldID
  }
}

extension ParquetField {
  /// A column of a type that `Columns` has.
  ///
  /// - Parameter decimalPrecision: of a decimal, its digits (1 to 38), which decide how it is stored.
  package static func column(
    _ name: String, _ type: ColumnType, isNullable: Bool = true, decimalPrecision: Int = 38
  ) -> ParquetField {
    switch type {
    case .boolean: leaf(name, .boolean, isNullable)
    case .integer: leaf(name, .int64, isNullable)
    case .double: leaf(name, .double, isNullable)
    case .string: leaf(name, .byteArray, isNullable, .string)
    case .bytes: leaf(name, .byteArray, isNullable)
    case .timestamp: leaf(name, .int64, isNullable, .timestamp(.microseconds, isUTC: true))
    case .date: leaf(name, .int32, isNullable, .date)
    case .decimal(let scale): decimal(name, isNullable, precision: decimalPrecision, scale: scale)
    }
  }

  /// 32-bit integers; in memory a column of `.integer`.
  package static func integer32(_ name: String, isNullable: Bool = true) -> ParquetField {
    leaf(name, .int32, isNullable)
  }

  /// Single precision; in memory a column of `.double`, rounded to the nearest when it is written.
  package static func float(_ name: String, isNullable: Bool = true) -> ParquetField {
    leaf(name, .float, isNullable)
  }

  package static func structure(_ name: String, isNullable: Bool = true, _ fields: [ParquetField]) -> ParquetField {
    .init(name: name, repetition: isNullable ? .optional : .required, content: .group(fields))
  }

  /// `optional group NAME (LIST) { repeated group list { ELEMENT } }`; the element is renamed to `element`.
  package static func list(_ name: String, isNullable: Bool = true, element: ParquetField) -> ParquetField {
    var element = element
    element.name = "element"
    let repeated = ParquetField(name: "list", repetition: .repeated, content: .group([element]))
    return .init(
      name: name, repetition: isNullable ? .optional : .required, content: .group([repeated]), logicalType: .list)
  }

  /// `optional group NAME (MAP) { repeated group key_value { required KEY; VALUE } }`.
  package static func map(
    _ name: String, isNullable: Bool = true, key: ParquetField, value: ParquetField
  ) -> ParquetField {
    var (key, value) = (key, value)
    key.name = "key"
    key.repetition = .required
    value.name = "value"
    let repeated = ParquetField(name: "key_value", repetition: .repeated, content: .group([key, value]))
    return .init(
      name: name, repetition: isNullable ? .optional : .required, content: .group([repeated]), logicalType: .map)
  }

  private static func leaf(
    _ name: String, _ type: ParquetPhysicalType, _ isNullable: Bool, _ logicalType: ParquetLogicalType? = nil
  ) -> ParquetField {
    .init(
      name: name, repetition: isNullable ? .optional : .required, content: .leaf(type, length: 0),
      logicalType: logicalType)
  }

  private static func decimal(_ name: String, _ isNullable: Bool, precision: Int, scale: Int) -> ParquetField {
    let content: Content =
      switch precision {
      case ...9: .leaf(.int32, length: 0)
      case ...18: .leaf(.int64, length: 0)
      default: .leaf(.fixedLengthByteArray, length: DecimalWidth.bytes(precision: precision))
      }
    return .init(
      name: name, repetition: isNullable ? .optional : .required, content: content,
      logicalType: .decimal(precision: precision, scale: scale))
  }
}

/// How wide a two's complement number of so many decimal digits is.
enum DecimalWidth {
  static let maximumPrecision = 38

  /// The fewest bytes that hold every number of `precision` digits: those whose sign bit lies above 10^precision.
  static func bytes(precision: Int) -> Int {
    var bytes = 1
    var digits = 0
    var largest: UInt128 = 0
    while digits < min(precision, maximumPrecision) {
      largest = largest * 10 + 9
      digits += 1
    }
    while bytes < 16, largest >> UInt128(8 * bytes - 1) != 0 { bytes += 1 }
    return bytes
  }
}
