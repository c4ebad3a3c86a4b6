package import Core
internal import CRDKafka

/// Records of one partition in the order of their offsets, borrowed from the library for the length of one call.
///
/// Nothing is copied and nothing is allocated per record. Offsets rise, but not always by one: transaction markers,
/// aborted records and compaction leave holes.
@safe
package struct ConsumedBatch: ~Copyable, ~Escapable {
  private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  /// At least 1.
  package let count: Int
  /// Where the records come from.
  package let partition: TopicPartition
  /// Counts the times at which the consumer got this partition: it differs after a revocation, even to the same
  /// consumer.
  package let ownership: UInt64

  @_lifetime(immortal)
  init(
    _ messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>, count: Int,
    partition: TopicPartition, ownership: UInt64
  ) {
    unsafe self.messages = messages
    self.count = count
    self.partition = partition
    self.ownership = ownership
  }

  package var indices: Range<Int> { 0..<count }

  /// - Precondition: `indices` contains `index`.
  package subscript(_ index: Int) -> ConsumedRecord {
    @_lifetime(borrow self)
    get {
      precondition(index >= 0 && index < count, "record index out of range")
      return unsafe _overrideLifetime(ConsumedRecord(messages[index].unsafelyUnwrapped), borrowing: self)
    }
  }

  package var firstOffset: Int64 { self[0].offset }
  package var lastOffset: Int64 { self[count - 1].offset }
  /// The offset to commit when the whole batch is done.
  package var nextOffset: Int64 { lastOffset + 1 }
}
