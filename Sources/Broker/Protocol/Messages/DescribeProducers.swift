/// Asks which producers a partition remembers (KIP-664).
package struct DescribeProducersRequest: WireReadable {
  package var topics: [TopicEntry<Int32>]
}

extension DescribeProducersRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    topics = try reader.structures("topics", version)
    try reader.skipTags()
  }
}

package struct DescribeProducersResponse: WireWritable {
  package typealias Topic = TopicEntry<Partition>

  package struct Partition: WireWritable {
    package var index: Int32
    package var errorCode: ErrorCode = .none
    package var errorMessage: String?
    package var activeProducers: [Producer] = []
  }

  package struct Producer: WireWritable {
    package var producerID: Int64
    package var producerEpoch: Int32
    package var lastSequence: Int32 = -1
    package var lastTimestampMilliseconds: Int64 = -1
    package var coordinatorEpoch: Int32
    /// -1: no transaction is open.
    package var currentTransactionStartOffset: Int64 = -1
  }

  package var throttleMilliseconds: Int32 = 0
  package var topics: [Topic]
}

extension DescribeProducersResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(topics, version)
    writer.noTags()
  }
}

extension DescribeProducersResponse.Partition {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.structures(activeProducers, version)
    writer.noTags()
  }
}

extension DescribeProducersResponse.Producer {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int64(producerID)
    writer.int32(producerEpoch)
    writer.int32(lastSequence)
    writer.int64(lastTimestampMilliseconds)
    writer.int32(coordinatorEpoch)
    writer.int64(currentTransactionStartOffset)
    writer.noTags()
  }
}
