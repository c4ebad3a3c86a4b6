/// Why a produced payload is refused. Cases carry the index of the record at fault where there is one.
package enum RecordBatchError: Error, Equatable, Sendable {
  /// There is no batch in the payload.
  case empty
  /// The length field does not fit the bytes that are there.
  case badLength(declared: Int, available: Int)
  /// More than one batch in a payload (bytes behind the first).
  case trailingBytes(Int)
  /// Formats 0 and 1 are not stored by this broker.
  case unsupportedMagic(Int8)
  case badChecksum(declared: UInt32, computed: UInt32)
  case controlBatchFromClient
  /// The record count does not match the range of offsets.
  case badCount(records: Int32, lastOffsetDelta: Int32)
  case missingSequence
  case transactionWithoutProducerID
  case unknownCodec
  /// The compressed records do not decompress.
  case badCompression
  /// The records would expand beyond the limit of memory or ratio.
  case expandsTooFar
  /// A record's fields do not fit its length, or the records do not fill the batch.
  case malformedRecord(index: Int32)
  /// Offset deltas must be 0, 1, 2…
  case badOffsetDelta(index: Int32)
  /// A compacted topic takes no record without a key.
  case missingKey(index: Int32)
  /// Beyond `message.timestamp.before.max.ms` or `message.timestamp.after.max.ms`.
  case timestampOutOfRange(index: Int32, timestamp: Int64)
  case tooLarge(sizeBytes: Int, limitBytes: Int)

  /// The error code of the Kafka protocol.
  package var kafkaCode: Int16 {
    switch self {
    case .badLength, .badChecksum: 2  // CORRUPT_MESSAGE
    case .tooLarge, .expandsTooFar: 10  // MESSAGE_TOO_LARGE
    case .timestampOutOfRange: 32  // INVALID_TIMESTAMP
    case .unsupportedMagic: 43  // UNSUPPORTED_FOR_MESSAGE_FORMAT
    case .unknownCodec: 76  // UNSUPPORTED_COMPRESSION_TYPE
    case .empty, .trailingBytes, .controlBatchFromClient, .badCount, .missingSequence, .transactionWithoutProducerID,
      .badCompression, .malformedRecord, .badOffsetDelta, .missingKey:
      87  // INVALID_RECORD
    }
  }

  /// The record at fault, counted from 0 in its batch.
  package var recordIndex: Int32? {
    switch self {
    case .malformedRecord(let index), .badOffsetDelta(let index), .missingKey(let index),
      .timestampOutOfRange(let index, _):
      index
    default: nil
    }
  }

  /// One sentence for the producer's log.
  package var message: String {
    switch self {
    case .empty: "there is no record batch"
    case .badLength(let declared, let available):
      "the batch says \(declared) bytes, \(available) are there"
    case .trailingBytes(let count): "\(count) bytes follow the batch; a request carries one batch for a partition"
    case .unsupportedMagic(let magic): "record format \(magic); expected 2"
    case .badChecksum(let declared, let computed): "checksum \(declared) does not match the computed \(computed)"
    case .controlBatchFromClient: "clients may not write control records"
    case .badCount(let records, let delta): "\(records) records with a last offset delta of \(delta)"
    case .missingSequence: "a producer id without sequence number or epoch"
    case .transactionWithoutProducerID: "a transactional batch without producer id"
    case .unknownCodec: "unknown compression codec"
    case .badCompression: "the records do not decompress"
    case .expandsTooFar: "the records expand beyond the limit"
    case .malformedRecord(let index): "record \(index) is malformed"
    case .badOffsetDelta(let index): "record \(index) has a wrong offset delta"
    case .missingKey(let index): "record \(index) has no key, which a compacted topic needs"
    case .timestampOutOfRange(let index, let timestamp):
      "record \(index) has timestamp \(timestamp), outside of the topic's range"
    case .tooLarge(let size, let limit): "the batch has \(size) bytes; the topic takes \(limit)"
    }
  }
}
