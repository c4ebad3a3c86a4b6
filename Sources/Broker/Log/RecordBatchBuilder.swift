package import Codecs

/// Writes record batches: transaction markers, what compaction keeps, and the batches of tests.
package struct RecordBatchBuilder {
  /// What `finish` completes: lengths, counts, timestamps and checksum are computed, everything else is the caller's.
  package var header = RecordBatchHeader()
  private var records: [UInt8] = []
  private var newestTimestamp: Int64 = -1

  package init(baseTimestamp: Int64, baseOffset: Int64 = 0) {
    header.baseTimestamp = baseTimestamp
    header.baseOffset = baseOffset
  }

  package var isEmpty: Bool { header.recordCount == 0 }

  /// Adds a record.
  /// - Parameter offsetDelta: nil: one more than that of the record before.
  package mutating func append(
    key: [UInt8]?, value: [UInt8]?, headers: [(key: [UInt8], value: [UInt8]?)] = [], timestamp: Int64,
    offsetDelta: Int32? = nil
  ) {
    let delta = offsetDelta ?? (isEmpty ? 0 : header.lastOffsetDelta + 1)
    var body: [UInt8] = [0]
    Varint.append(timestamp &- header.baseTimestamp, to: &body)
    Varint.append(Int64(delta), to: &body)
    Self.append(key, to: &body)
    Self.append(value, to: &body)
    Varint.append(Int64(headers.count), to: &body)
    for (key, value) in headers {
      Self.append(key, to: &body)
      Self.append(value, to: &body)
    }
    Varint.append(Int64(body.count), to: &records)
    records += body
    account(offsetDelta: delta, timestamp: timestamp)
  }

  /// Adds a record of another batch with the same base offset.
  /// - Parameter bytes: the other batch's plain records, in which `record` stands.
  mutating func append(_ record: RecordLayout, of bytes: RawSpan, timestamp: Int64) {
    var body = [UInt8(bitPattern: record.attributes)]
    Varint.append(timestamp &- header.baseTimestamp, to: &body)
    Varint.append(Int64(record.offsetDelta), to: &body)
    for field in [record.key, record.value] {
      Varint.append(Int64(field?.count ?? -1), to: &body)
      if let field { body.append(bytes.extracting(field)) }
    }
    Varint.append(Int64(record.headerCount), to: &body)
    body.append(bytes.extracting(record.headers))
    Varint.append(Int64(body.count), to: &records)
    records += body
    account(offsetDelta: record.offsetDelta, timestamp: timestamp)
  }

  private mutating func account(offsetDelta: Int32, timestamp: Int64) {
    header.lastOffsetDelta = offsetDelta
    header.recordCount += 1
    newestTimestamp = max(newestTimestamp, timestamp)
  }

  private static func append(_ bytes: [UInt8]?, to body: inout [UInt8]) {
    Varint.append(Int64(bytes?.count ?? -1), to: &body)
    if let bytes { body += bytes }
  }

  /// The batch, compressed if asked for.
  package mutating func finish(compressor: Compressor, codec: CompressionCodec) throws(CodecError) -> [UInt8] {
    header.attributes = header.attributes.with(codec: codec)
    guard codec != .none else { return finish() }
    let plain = records
    records = try unsafe plain.span.bytes.withUnsafeBytes { (bytes) throws(CodecError) in
      try unsafe compressor.compress(bytes, codec: codec)
    }
    return finish()
  }

  /// The batch with its records as they are.
  package mutating func finish() -> [UInt8] {
    if !header.attributes.contains(.logAppendTime) { header.maximumTimestamp = newestTimestamp }
    header.batchLength = Int32(RecordBatchHeader.sizeBytes - RecordBatchHeader.uncountedBytes + records.count)
    header.checksum = header.computedChecksum(records: unsafe records.span.bytes)
    var batch: [UInt8] = []
    batch.reserveCapacity(header.sizeBytes)
    let encoded = header.encoded()
    for index in encoded.indices { batch.append(encoded[index]) }
    batch += records
    return batch
  }
}

/// Zigzag numbers of variable length, as records use them.
enum Varint {
  static func append(_ value: Int64, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
