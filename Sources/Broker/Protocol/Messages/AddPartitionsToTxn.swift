/// Registers partitions in a producer's open transaction before it writes to them.
package struct AddPartitionsToTxnRequest: WireReadable {
  package var transactionalID: String
  package var producerID: Int64
  package var producerEpoch: Int16
  package var topics: [TopicEntry<Int32>]
}

extension AddPartitionsToTxnRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalID = try reader.string("transactional_id")
    producerID = try reader.int64("producer_id")
    producerEpoch = try reader.int16("producer_epoch")
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

/// There is no error of the whole: each partition carries one.
package struct AddPartitionsToTxnResponse: WireWritable {
  package var throttleMilliseconds: Int32 = 0
  package var topics: [TopicEntry<PartitionError>]
}

extension AddPartitionsToTxnResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}
