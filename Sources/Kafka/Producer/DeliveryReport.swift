package import Core

/// What became of one batch, once that is known of each of its records.
package struct DeliveryReport: Sendable, Equatable {
  /// The number that `send` returned.
  package var batch: UInt32
  package var acknowledged: Int
  package var failed: Int
  /// The records that were not delivered; fewer than `failed` only when memory was short.
  package var failures: [Failure]
  /// The offsets that the records got, by partition. Without acknowledgements (`acks=0`) they are -1.
  package var offsets: [OffsetRange]

  package struct Failure: Sendable, Equatable {
    /// The position of the record in its batch.
    package var index: Int
    package var code: KafkaErrorCode
    /// The record was sent and no answer came: the log may hold it.
    package var mayBeStored: Bool
  }

  package struct OffsetRange: Sendable, Equatable {
    package var partition: Int32
    package var count: Int
    package var first: Int64
    package var last: Int64
  }

  /// The first failure as an error; nil when all is delivered.
  package var error: HeadraceError? {
    guard failed > 0 else { return nil }
    let code = failures.first?.code ?? .fatal
    let mayBeStored = failures.contains(where: \.mayBeStored)
    return HeadraceError(
      code, "\(failed) of \(failed + acknowledged) records were not delivered: \(code.explanation)",
      retry: mayBeStored ? .unknownOutcome : nil)
  }
}
