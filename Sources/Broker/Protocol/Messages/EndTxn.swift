/// Commits or aborts a producer's open transaction.
package struct EndTxnRequest: WireReadable {
  package var transactionalID: String
  package var producerID: Int64
  package var producerEpoch: Int16
  /// Commit; else abort.
  package var committed: Bool
}

extension EndTxnRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalID = try reader.string("transactional_id")
    producerID = try reader.int64("producer_id")
    producerEpoch = try reader.int16("producer_epoch")
    committed = try reader.bool("committed")
    try reader.skipTags()
  }
}

package struct EndTxnResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
}

extension EndTxnResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.error(errorCode)
    writer.noTags()
  }
}
