internal import Columns
internal import Core

/// Rows as they lie in a segment: column by column, the buffers of `Column` one after the other.
///
/// ```
/// row count     4 bytes
/// each column   validity: a byte for each row; then
///               numbers 8 bytes a row, decimals 16, texts: 4 bytes of length a row, then all their bytes
/// ```
enum SpoolBlock {
  static func write(_ batch: borrowing ColumnBatch, to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: batch.rowCount))
    for column in batch.columns.indices { write(batch.columns[column], to: &writer) }
  }

  private static func write(_ column: borrowing Column, to writer: inout ByteWriter) {
    unsafe column.isValid.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    switch column.type.storage {
    case .integers: unsafe column.integers.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    case .doubles: unsafe column.doubles.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    case .decimals: unsafe column.decimals.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    case .text:
      var start = 0
      for end in column.text.ends {
        writer.number(UInt32(truncatingIfNeeded: end - start))
        start = end
      }
      unsafe column.text.bytes.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    }
  }

  /// Replaces a batch's rows.
  ///
  /// - Throws: BYTES_BROKEN when the bytes are no block of these columns.
  static func read(_ bytes: RawSpan, place: String, into batch: inout ColumnBatch) throws(HeadraceError) {
    var reader = ByteReader(bytes, place: place)
    let rowCount = try reader.count(ofSize: 1)
    for index in batch.columns.indices {
      batch.columns[index] = try column(batch.columns[index].type, rowCount, bytes, &reader)
    }
    guard reader.isAtEnd else { throw reader.broken("there is more than the columns") }
    batch.rowCount = rowCount
  }

  @_lifetime(reader: copy reader)
  private static func column(
    _ type: ColumnType, _ rowCount: Int, _ bytes: RawSpan, _ reader: inout ByteReader
  ) throws(HeadraceError) -> Column {
    var isValid: [Bool] = []
    isValid.reserveCapacity(rowCount)
    for _ in 0..<rowCount { isValid.append(try reader.number(UInt8.self) != 0) }
    switch type.storage {
    case .integers:
      var values: [Int64] = []
      values.reserveCapacity(rowCount)
      for _ in 0..<rowCount { values.append(try reader.number()) }
      return Column(type, integers: values, isValid: isValid)
    case .doubles:
      var values: [Double] = []
      values.reserveCapacity(rowCount)
      for _ in 0..<rowCount { values.append(Double(bitPattern: try reader.number())) }
      return Column(doubles: values, isValid: isValid)
    case .decimals:
      var column = Column(type)
      for row in 0..<rowCount {
        let value = try reader.number(Int128.self)
        if isValid[row] { column.append(value) } else { column.appendNull() }
      }
      return column
    case .text: return try text(type, isValid, bytes, &reader)
    }
  }

  @_lifetime(reader: copy reader)
  private static func text(
    _ type: ColumnType, _ isValid: [Bool], _ bytes: RawSpan, _ reader: inout ByteReader
  ) throws(HeadraceError) -> Column {
    var counts: [Int] = []
    counts.reserveCapacity(isValid.count)
    for _ in isValid.indices { counts.append(Int(try reader.number(UInt32.self))) }
    var column = Column(type)
    column.reserveCapacity(isValid.count)
    for (row, count) in counts.enumerated() {
      let start = reader.offset
      try reader.skip(count)
      if isValid[row] { column.append(bytes.extracting(start..<start + count)) } else { column.appendNull() }
    }
    return column
  }
}
