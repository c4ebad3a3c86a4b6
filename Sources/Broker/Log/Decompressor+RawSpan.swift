internal import Codecs

extension Decompressor {
  /// The records of a batch, ready for a `RecordCursor`: the same bytes when they are not compressed, else this
  /// decompressor's memory, which its next call overwrites.
  func withRecords<Result>(
    of header: RecordBatchHeader, _ records: RawSpan, limit: DecompressionLimit,
    _ body: (RawSpan) throws(RecordBatchError) -> Result
  ) throws(RecordBatchError) -> Result {
    guard let codec = header.attributes.codec else { throw .unknownCodec }
    guard codec != .none else { return try body(records) }
    let expanded: UnsafeRawBufferPointer
    do throws(CodecError) {
      unsafe expanded = try unsafe records.withUnsafeBytes { (input) throws(CodecError) in
        try unsafe decompress(input, codec: codec, limit: limit)
      }
    } catch {
      throw error.kind == .tooLarge ? .expandsTooFar : .badCompression
    }
    return try body(unsafe RawSpan(_unsafeBytes: expanded))
  }
}
