internal import Contracts
internal import Core

/// What a dead-letter record says beside its original bytes: the headers of Kafka Streams (KIP-1034), and ours.
struct DeadLetterHeaders {
  let all: [(String, String)]

  init(_ fault: RecordFault, of partition: TopicPartition, offset: Int64) {
    let field = fault.path.map { "`\($0)`: " } ?? ""
    all = [
      ("__streams.errors.exception", fault.code.rawValue),
      ("__streams.errors.message", "\(field)\(fault.code.rawValue)"),
      ("__streams.errors.topic", partition.topic),
      ("__streams.errors.partition", String(partition.partition)),
      ("__streams.errors.offset", String(offset)),
      ("headrace-reason", fault.code.rawValue),
      ("headrace-field", fault.path ?? ""),
    ]
  }
}
