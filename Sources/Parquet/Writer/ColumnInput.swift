internal import Columns
internal import Core

/// From values as they are meant to values as they are stored: checks that each fits, drops nulls.
struct ColumnInput {
  private let leaf: ParquetLeaf
  private let needsConversion: Bool
  /// Stored values of the rows that were taken last, where the caller's column could not be used as it is.
  private(set) var stored: Column

  init(_ leaf: ParquetLeaf) {
    self.leaf = leaf
    stored = Column(leaf.storedColumnType)
    needsConversion = leaf.columnType?.storage != leaf.storedColumnType.storage
  }

  /// Whether rows of the column are what is stored: no conversion, no null among them.
  func isStored(_ column: borrowing Column) -> Bool { !needsConversion && column.nullCount == 0 }

  /// Fills `stored` with the rows that are not null.
  mutating func take(_ rows: Range<Int>, of column: borrowing Column) throws(HeadraceError) {
    stored.removeAll()
    switch column.type.storage {
    case .integers: takeIntegers(rows, of: column)
    case .doubles:
      for row in rows where column.isValid[row] { stored.append(column.doubles[row]) }
    case .text:
      for row in rows where column.isValid[row] { stored.append(column.text[row]) }
    case .decimals:
      for row in rows where column.isValid[row] { try append(column.decimals[row]) }
    }
  }

  private mutating func takeIntegers(_ rows: Range<Int>, of column: borrowing Column) {
    for row in rows where column.isValid[row] { stored.append(column.integers[row]) }
  }

  private mutating func append(_ value: Int128) throws(HeadraceError) {
    guard case .decimal(let precision, _) = leaf.logicalType, Self.fits(value, precision) else {
      throw unfit("\(value)")
    }
    guard leaf.physicalType == .fixedLengthByteArray else { return stored.append(Int64(truncatingIfNeeded: value)) }
    var bytes: [UInt8] = []
    for index in (0..<leaf.length).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: value >> Int128(min(8 * index, 127))))
    }
    unsafe stored.append(bytes.span.bytes)
  }

  private static func fits(_ value: Int128, _ precision: Int) -> Bool {
    var limit: Int128 = 1
    for _ in 0..<min(precision, DecimalWidth.maximumPrecision) { limit *= 10 }
    return value > -limit && value < limit
  }

  /// 32-bit columns take what 32 bits hold, booleans 0 and 1.
  func check(_ rows: Range<Int>, of values: borrowing Column) throws(HeadraceError) {
    let bounds: ClosedRange<Int64>
    switch leaf.physicalType {
    case .int32: bounds = leaf.isUnsigned32 ? 0...Int64(UInt32.max) : Int64(Int32.min)...Int64(Int32.max)
    case .boolean: bounds = 0...1
    default: return
    }
    var isFit = true
    unsafe values.integers.withUnsafeBufferPointer { integers in
      for row in rows {
        let value = unsafe integers[row]
        isFit = isFit && value >= bounds.lowerBound && value <= bounds.upperBound
      }
    }
    guard isFit else {
      let value = values.integers[rows].first { !bounds.contains($0) }
      throw unfit("\(value ?? 0)")
    }
  }

  func unfit(_ value: String) -> HeadraceError {
    let type = leaf.logicalType.map { "\($0)" } ?? "\(leaf.physicalType)"
    return HeadraceError(
      .user, "PARQUET_VALUE", "\(value) does not fit into \(type)", place: "column \(leaf.name)",
      remedy: "declare a wider type")
  }
}
