package import Codecs

/// The flags of a record batch.
package struct RecordBatchAttributes: OptionSet, Hashable, Sendable {
  package let rawValue: Int16

  package init(rawValue: Int16) { self.rawValue = rawValue }

  /// All records carry the broker's time of append, which is the batch's maximum timestamp.
  package static let logAppendTime = RecordBatchAttributes(rawValue: 1 << 3)
  package static let transactional = RecordBatchAttributes(rawValue: 1 << 4)
  /// The one record is a transaction marker and never reaches an application.
  package static let control = RecordBatchAttributes(rawValue: 1 << 5)
  /// The base timestamp is the time from which tombstones and markers of this batch may be dropped (KIP-534).
  package static let deleteHorizon = RecordBatchAttributes(rawValue: 1 << 6)

  private static let codecMask: Int16 = 0b111

  /// nil: a codec that Kafka does not know.
  package var codec: CompressionCodec? {
    CompressionCodec(rawValue: UInt8(truncatingIfNeeded: rawValue & Self.codecMask))
  }

  package func with(codec: CompressionCodec) -> Self {
    RecordBatchAttributes(rawValue: (rawValue & ~Self.codecMask) | Int16(codec.rawValue))
  }
}
