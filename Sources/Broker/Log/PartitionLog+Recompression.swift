internal import Codecs

extension PartitionLog {
  /// The records of a checked batch in the codec that the topic asks for; its header is brought in line.
  func recompress(
    _ header: inout RecordBatchHeader, _ records: RawSpan, to codec: CompressionCodec
  ) throws(LogError) -> [UInt8] {
    let compressor = Compressor()
    do throws(RecordBatchError) {
      let converted = try resources.decompressor.withRecords(of: header, records, limit: resources.decompressionLimit) {
        (plain) throws(RecordBatchError) in
        do throws(CodecError) {
          return try unsafe plain.withUnsafeBytes { (bytes) throws(CodecError) in
            codec == .none ? unsafe [UInt8](bytes) : try unsafe compressor.compress(bytes, codec: codec)
          }
        } catch {
          throw RecordBatchError.badCompression
        }
      }
      let size = RecordBatchHeader.sizeBytes + converted.count
      guard size <= configuration.maxMessageBytes else {
        throw RecordBatchError.tooLarge(sizeBytes: size, limitBytes: configuration.maxMessageBytes)
      }
      header.attributes = header.attributes.with(codec: codec)
      header.batchLength = Int32(size - RecordBatchHeader.uncountedBytes)
      header.checksum = header.computedChecksum(records: unsafe converted.span.bytes)
      return converted
    } catch {
      throw .batch(error)
    }
  }
}
