/// Announces that a transaction will commit offsets of a group.
package struct AddOffsetsToTxnRequest: WireReadable {
  package var transactionalID: String
  package var producerID: Int64
  package var producerEpoch: Int16
  package var groupID: String
}

extension AddOffsetsToTxnRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalID = try reader.string("transactional_id")
    producerID = try reader.int64("producer_id")
    producerEpoch = try reader.int16("producer_epoch")
    groupID = try reader.string("group_id")
    try reader.skipTags()
  }
}

package struct AddOffsetsToTxnResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
}

extension AddOffsetsToTxnResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.error(errorCode)
    writer.noTags()
  }
}
