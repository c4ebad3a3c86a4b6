package import Core

/// Why a partition's log refuses a call.
package enum LogError: Error, Equatable, Sendable {
  /// The payload is not what a producer may send.
  case batch(RecordBatchError)
  /// The producer's epoch, sequence or transaction does not fit what the log knows of it.
  case producer(ProducerError)
  /// The batch is larger than a whole segment may be.
  case batchExceedsSegment(sizeBytes: Int, limitBytes: Int)
  case offsetOutOfRange(offset: Int64, available: ClosedRange<Int64>)
  /// The disk refused; nothing of the call took effect.
  case storage(StorageFailure)
  /// The disk failed in a way that leaves the file's content unknown; nothing is read or written until the log is
  /// opened anew.
  case offline(StorageFailure)
  /// A stored batch is not readable.
  case corrupt(path: String, position: Int)

  /// The error code of the Kafka protocol.
  package var kafkaCode: Int16 {
    switch self {
    case .batch(let error): error.kafkaCode
    case .producer(let error): error.kafkaCode
    case .batchExceedsSegment: 18  // RECORD_LIST_TOO_LARGE
    case .offsetOutOfRange: 1  // OFFSET_OUT_OF_RANGE
    case .storage, .offline, .corrupt: 56  // KAFKA_STORAGE_ERROR
    }
  }

  /// One sentence for logs and for a producer's error message.
  package var message: String {
    switch self {
    case .batch(let error): error.message
    case .producer(let error): error.message
    case .batchExceedsSegment(let size, let limit): "a batch of \(size) bytes does not fit a segment of \(limit)"
    case .offsetOutOfRange(let offset, let available):
      "offset \(offset) is outside of \(available.lowerBound) to \(available.upperBound)"
    case .storage(let failure): failure.description
    case .offline(let failure): "the log is offline since \(failure)"
    case .corrupt(let path, let position): "\(path) is unreadable at byte \(position)"
    }
  }
}

/// A system call on a file of the log that failed.
package struct StorageFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package var operation: String
  package var path: String
  /// `errno`.
  package var code: Int32

  package init(operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  package var description: String { "\(operation) \(path): \(SystemErrorText.of(code))" }

  /// The same for the edges of the module.
  package var asHeadraceError: HeadraceError {
    HeadraceError(
      .external, "STORAGE", "\(operation): \(SystemErrorText.of(code))", retry: .sameCall, place: path,
      remedy: "make room or mend the file system, then start the broker again")
  }
}
