/// What is added to a record that goes to the dead-letter topic. Key, value, headers and timestamp stay as they are.
package enum DeadLetter {
  package typealias Header = (name: String, value: [UInt8])

  /// Headers as Kafka Streams writes them (KIP-1034), so that its tools and ours read each other's dead letters, and
  /// ours beside them. All values are UTF-8 text.
  ///
  /// - Parameters:
  ///   - value: the record's value, of which the reason quotes a little.
  ///   - topic: where the record came from, with partition and offset.
  package static func headers(
    _ fault: RecordFault, contract: Contract, value: RawSpan?, topic: String, partition: Int32, offset: Int64
  ) -> [Header] {
    let reason = fault.reason(in: contract, value: value)
    var headers: [(String, String)] = [
      ("__streams.errors.exception", "headrace.ContractViolation"),
      ("__streams.errors.message", "\(fault.code.rawValue): \(reason)"),
      // A record does not fail in a stack of calls, but at a place in a log.
      ("__streams.errors.stacktrace", "\(topic)/\(partition) offset \(offset), contract \(contract.subject)"),
      ("__streams.errors.topic", topic),
      ("__streams.errors.partition", "\(partition)"),
      ("__streams.errors.offset", "\(offset)"),
      ("x-headrace-code", fault.code.rawValue),
      ("x-headrace-reason", reason),
    ]
    if let path = fault.path { headers.append(("x-headrace-field", path)) }
    return headers.map { ($0, Array($1.utf8)) }
  }
}
