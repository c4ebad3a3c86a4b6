internal import Codecs

/// The 61 bytes in front of a batch's records, format version 2 (KIP-98), in their order on the wire.
///
/// The checksum covers everything from the attributes on. Base offset and leader epoch lie in front of it, so a broker
/// assigns them without computing it anew.
package struct RecordBatchHeader: Equatable, Sendable {
  /// Bytes of the header: the records begin here.
  package static let sizeBytes = 61
  /// Bytes that `batchLength` does not count: base offset and the length itself.
  package static let uncountedBytes = 12
  /// Where the part begins that the checksum covers.
  package static let checkedFrom = 21
  /// The only format version that this broker stores.
  package static let currentMagic: Int8 = 2

  package var baseOffset: Int64 = 0
  /// Bytes that follow this field.
  package var batchLength: Int32 = 49
  package var partitionLeaderEpoch: Int32 = 0
  package var magic: Int8 = currentMagic
  /// CRC-32C of the bytes from `checkedFrom` to the end of the batch.
  package var checksum: UInt32 = 0
  package var attributes = RecordBatchAttributes(rawValue: 0)
  package var lastOffsetDelta: Int32 = 0
  /// Milliseconds; the records' timestamps are deltas to it. Also the delete horizon of a compacted batch (KIP-534).
  package var baseTimestamp: Int64 = -1
  package var maximumTimestamp: Int64 = -1
  /// -1: not idempotent.
  package var producerID: Int64 = -1
  package var producerEpoch: Int16 = -1
  package var baseSequence: Int32 = -1
  package var recordCount: Int32 = 0

  package init() {}

  /// Reads a header as it stands; nothing but the presence of its 61 bytes is checked.
  package init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= Self.sizeBytes else { return nil }
    baseOffset = bytes.bigEndian(at: 0)
    batchLength = bytes.bigEndian(at: 8)
    partitionLeaderEpoch = bytes.bigEndian(at: 12)
    magic = bytes.bigEndian(at: 16)
    checksum = bytes.bigEndian(at: 17)
    attributes = RecordBatchAttributes(rawValue: bytes.bigEndian(at: 21))
    lastOffsetDelta = bytes.bigEndian(at: 23)
    baseTimestamp = bytes.bigEndian(at: 27)
    maximumTimestamp = bytes.bigEndian(at: 35)
    producerID = bytes.bigEndian(at: 43)
    producerEpoch = bytes.bigEndian(at: 51)
    baseSequence = bytes.bigEndian(at: 53)
    recordCount = bytes.bigEndian(at: 57)
  }

  /// Bytes of the whole batch; meaningful once `batchLength` is known to be sane.
  package var sizeBytes: Int { Int(batchLength) &+ Self.uncountedBytes }

  package var lastOffset: Int64 { baseOffset &+ Int64(lastOffsetDelta) }

  /// One past the last offset that the batch occupies.
  package var endOffset: Int64 { lastOffset &+ 1 }

  package var hasProducerID: Bool { producerID >= 0 }

  /// The sequence number of the last record; numbers wrap from Int32.max to 0. -1 for a batch without sequence.
  package var lastSequence: Int32 {
    baseSequence < 0 ? -1 : ProducerSequence.adding(lastOffsetDelta, to: baseSequence)
  }

  /// The checksum that a batch with this header and these records must carry.
  package func computedChecksum(records: RawSpan) -> UInt32 {
    let encoded = encoded()
    let head = unsafe encoded.span.bytes.extracting(droppingFirst: Self.checkedFrom).crc32c()
    return records.crc32c(extending: head)
  }

  /// The header as it stands in a file or in a frame.
  package func encoded() -> InlineArray<61, UInt8> {
    var bytes = InlineArray<61, UInt8>(repeating: 0)
    var elements = bytes.mutableSpan
    var output = unsafe elements.mutableBytes
    output.storeBigEndian(baseOffset, at: 0)
    output.storeBigEndian(batchLength, at: 8)
    output.storeBigEndian(partitionLeaderEpoch, at: 12)
    output.storeBigEndian(magic, at: 16)
    output.storeBigEndian(checksum, at: 17)
    output.storeBigEndian(attributes.rawValue, at: 21)
    output.storeBigEndian(lastOffsetDelta, at: 23)
    output.storeBigEndian(baseTimestamp, at: 27)
    output.storeBigEndian(maximumTimestamp, at: 35)
    output.storeBigEndian(producerID, at: 43)
    output.storeBigEndian(producerEpoch, at: 51)
    output.storeBigEndian(baseSequence, at: 53)
    output.storeBigEndian(recordCount, at: 57)
    return bytes
  }
}
