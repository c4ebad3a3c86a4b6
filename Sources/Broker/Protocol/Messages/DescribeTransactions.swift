/// Asks for the state of transactional ids (KIP-664).
package struct DescribeTransactionsRequest: WireReadable {
  package var transactionalIDs: [String]
}

extension DescribeTransactionsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    transactionalIDs = try reader.strings("transactional_ids")
    try reader.skipTags()
  }
}

package struct DescribeTransactionsResponse: WireWritable {
  package struct Transaction: WireWritable {
    package var errorCode: ErrorCode = .none
    package var transactionalID: String
    /// `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit` or `CompleteAbort`.
    package var state = ""
    package var timeoutMilliseconds: Int32 = 0
    /// Milliseconds since 1970; -1: no transaction is open.
    package var startTimeMilliseconds: Int64 = -1
    package var producerID: Int64 = -1
    package var producerEpoch: Int16 = -1
    package var topics: [TopicEntry<Int32>] = []
  }

  package var throttleMilliseconds: Int32 = 0
  package var transactions: [Transaction]
}

extension DescribeTransactionsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.structures(transactions, version)
    writer.noTags()
  }
}

extension DescribeTransactionsResponse.Transaction {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.string(transactionalID)
    writer.string(state)
    writer.int32(timeoutMilliseconds)
    writer.int64(startTimeMilliseconds)
    writer.int64(producerID)
    writer.int16(producerEpoch)
    writer.structures(topics, version)
    writer.noTags()
  }
}
