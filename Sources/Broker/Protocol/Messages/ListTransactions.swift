/// Asks which transactional ids there are (KIP-664).
package struct ListTransactionsRequest: WireReadable {
  /// Empty: any state.
  package var stateFilters: [String]
  /// Empty: any producer.
  package var producerIDFilters: [Int64]
}

extension ListTransactionsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    stateFilters = try reader.strings("state_filters")
    producerIDFilters = try reader.int64s("producer_id_filters")
    try reader.skipTags()
  }
}

package struct ListTransactionsResponse: WireWritable {
  package struct Transaction: WireWritable {
    package var transactionalID: String
    package var producerID: Int64
    package var state: String
  }

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var unknownStateFilters: [String] = []
  package var transactions: [Transaction] = []
}

extension ListTransactionsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.error(errorCode)
    writer.strings(unknownStateFilters)
    writer.structures(transactions, version)
    writer.noTags()
  }
}

extension ListTransactionsResponse.Transaction {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(transactionalID)
    writer.int64(producerID)
    writer.string(state)
    writer.noTags()
  }
}
