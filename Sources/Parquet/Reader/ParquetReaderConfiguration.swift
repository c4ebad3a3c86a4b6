/// How much a reader takes at once.
package struct ParquetReaderConfiguration: Sendable {
  /// Rows of a batch.
  package var batchRows = 65_536
  /// A batch ends early when its strings reach so many bytes. It has at least one row, and one column may be over the
  /// limit by a page.
  package var maximumBatchBytes = 64 << 20
  /// Values and nulls that the rows of one call of `ParquetRowReader.next` may have in all.
  package var maximumRowValues = 16 << 20
  /// Whether pages that bring a checksum are held against it.
  package var verifiesChecksums = true

  package init() {}
}
