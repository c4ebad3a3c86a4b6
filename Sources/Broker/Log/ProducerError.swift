/// Why a batch or marker does not continue what its producer wrote before.
package enum ProducerError: Error, Equatable, Sendable {
  case outOfOrderSequence(producerID: Int64, expected: Int32, found: Int32)
  case invalidEpoch(producerID: Int64, current: Int16, found: Int16)
  /// A batch outside of a transaction while the producer's transaction is open.
  case transactionOpen(producerID: Int64)
  /// A marker of a coordinator that has been replaced.
  case coordinatorFenced(producerID: Int64, current: Int32, found: Int32)

  /// The error code of the Kafka protocol.
  package var kafkaCode: Int16 {
    switch self {
    case .outOfOrderSequence: 45  // OUT_OF_ORDER_SEQUENCE_NUMBER
    case .invalidEpoch: 47  // INVALID_PRODUCER_EPOCH
    case .transactionOpen: 48  // INVALID_TXN_STATE
    case .coordinatorFenced: 52  // TRANSACTION_COORDINATOR_FENCED
    }
  }

  package var message: String {
    switch self {
    case .outOfOrderSequence(let id, let expected, let found):
      "producer \(id) sent sequence \(found); expected \(expected)"
    case .invalidEpoch(let id, let current, let found):
      "producer \(id) has epoch \(found); the current one is \(current)"
    case .transactionOpen(let id): "producer \(id) sent a plain batch inside of its open transaction"
    case .coordinatorFenced(let id, let current, let found):
      "a marker for producer \(id) of coordinator epoch \(found); the current one is \(current)"
    }
  }
}
