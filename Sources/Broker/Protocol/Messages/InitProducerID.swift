/// Asks for a producer id, or fences the earlier holder of a transactional id.
package struct InitProducerIDRequest: WireReadable {
  /// Nil: idempotence without transactions.
  package var transactionalID: String?
  package var transactionTimeoutMilliseconds: Int32
  /// The producer's present id, to be kept with a greater epoch (KIP-360); -1: none.
  package var producerID: Int64 = -1
  package var producerEpoch: Int16 = -1
}

extension InitProducerIDRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalID = try reader.nullableString("transactional_id")
    transactionTimeoutMilliseconds = try reader.int32("transaction_timeout_ms")
    if version >= 3 {
      producerID = try reader.int64("producer_id")
      producerEpoch = try reader.int16("producer_epoch")
    }
    try reader.skipTags()
  }
}

package struct InitProducerIDResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var producerID: Int64 = -1
  package var producerEpoch: Int16 = -1
}

extension InitProducerIDResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.error(errorCode)
    writer.int64(producerID)
    writer.int16(producerEpoch)
    writer.noTags()
  }
}
