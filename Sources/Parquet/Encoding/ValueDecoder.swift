internal import Columns

/// Decodes the values of one page, as many at a time as the caller wants.
///
/// Columns hold values as they are stored (`PhysicalStorage`): numbers as integers, floating point as doubles, all
/// others as bytes. What they mean is added by `ValueConversion`.
protocol ValueDecoder {
  /// Appends the next `count` values.
  ///
  /// - Throws: when there are fewer. The column's content is undefined then.
  mutating func append(_ count: Int, to column: inout Column) throws(ParquetFault)

  /// What one value can at most take of a column's bytes, where a page can hold more than its own size; 0 elsewhere.
  var largestValueBytes: Int { get }
}

extension ValueDecoder {
  var largestValueBytes: Int { 0 }
}

extension ParquetFault {
  static func valuesMissing(_ wanted: Int, _ bytes: Int) -> ParquetFault {
    .corrupt("\(wanted) more values where \(bytes) bytes are left of the page")
  }
}
