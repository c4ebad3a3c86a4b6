internal import Codecs

/// Hands out the records of stored batches one by one.
final class RecordReader {
  private let decompressor = Decompressor()

  /// - Parameter body: gets the plain records and where in them the next record stands.
  func read(
    _ header: RecordBatchHeader, _ records: RawSpan, path: String, _ body: (RawSpan, RecordLayout) -> Void
  ) throws(StorageFailure) {
    do throws(RecordBatchError) {
      // What is stored passed the broker's own limit when it was produced.
      let limit = DecompressionLimit(maximumBytes: Int(Int32.max), maximumRatio: .max)
      try decompressor.withRecords(of: header, records, limit: limit) { (plain) throws(RecordBatchError) in
        var cursor = RecordCursor(plain)
        for _ in 0..<header.recordCount { body(plain, try cursor.next()) }
      }
    } catch {
      throw StorageFailure(operation: "decode a batch (\(error.message)) of", path: path, code: 5)
    }
  }
}
