/// A finished page of an open column chunk.
struct PageRecord {
  /// In the chunk's data pages; the dictionary page comes in front of them.
  var offset: Int
  /// With the header.
  var sizeBytes: Int
  /// Rows of the row group before it.
  var firstRow: Int
  var valueCount: Int
  var nullCount: Int
  var bounds: ValueBounds
  var encoding: ParquetEncoding
}
