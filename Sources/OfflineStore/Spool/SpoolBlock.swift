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
    let isValid = try words(UInt8.self, rowCount, bytes, &reader).map { $0 != 0 }
    switch type.storage {
    case .integers: return Column(type, integers: try words(Int64.self, rowCount, bytes, &reader), isValid: isValid)
    case .doubles: return Column(doubles: try words(Double.self, rowCount, bytes, &reader), isValid: isValid)
    case .decimals:
      var column = Column(type)
      for (row, value) in try words(Int128.self, rowCount, bytes, &reader).enumerated() {
        if isValid[row] { column.append(value) } else { column.appendNull() }
      }
      return column
    case .text: return try text(type, isValid, bytes, &reader)
    }
  }

  /// The next numbers, as they lie in the buffers of a column.
  @_lifetime(reader: copy reader)
  private static func words<Word: BitwiseCopyable>(
    _ type: Word.Type, _ count: Int, _ bytes: RawSpan, _ reader: inout ByteReader
  ) throws(HeadraceError) -> [Word] {
    let start = reader.offset
    let byteCount = count * MemoryLayout<Word>.stride
    try reader.skip(byteCount)
    return unsafe bytes.extracting(start..<start + byteCount).withUnsafeBytes { source in
      unsafe [Word](unsafeUninitializedCapacity: count) { target, filled in
        unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        filled = count
      }
    }
  }

  @_lifetime(reader: copy reader)
  private static func text(
    _ type: ColumnType, _ isValid: [Bool], _ bytes: RawSpan, _ reader: inout ByteReader
  ) throws(HeadraceError) -> Column {
    let counts = try words(UInt32.self, isValid.count, bytes, &reader)
    var column = Column(type)
    column.reserveCapacity(isValid.count)
    for (row, length) in counts.enumerated() {
      let (start, count) = (reader.offset, Int(length))
      try reader.skip(count)
      if isValid[row] { column.append(bytes.extracting(start..<start + count)) } else { column.appendNull() }
    }
    return column
  }
}
