internal import ArgumentParser
internal import Core
internal import Glibc
internal import Kafka

/// How a command ended, as a script sees it.
enum ExitStatus: Int32, Sendable, CaseIterable {
  case success = 0
  /// The work could not be done: bad input, a refusal of the broker, a full disk.
  case failed = 1
  /// The command line is wrong: nothing was tried.
  case usage = 2
  /// The broker could not be reached, or did not answer in time.
  case unreachable = 3
  /// Some records are not acknowledged; what was is listed.
  case partial = 4
  case interrupted = 130
  case terminated = 143

  static let help = """
    Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the broker is unreachable or does not answer in time; \
    4 some records were not acknowledged; 130 and 143 ended by SIGINT and SIGTERM, after what was begun was finished. \
    A second signal stops at once.
    """

  init(signal: Int32) { self = signal == SIGINT ? .interrupted : .terminated }
}

/// A command that has said everything already, and only the exit code is left.
struct Ended: Error {
  var status: ExitStatus
}

extension ExitStatus {
  init(_ error: any Error) {
    switch error {
    case let ended as Ended: self = ended.status
    case is StandardOutput.Closed: self = .success
    case let error as HeadraceError: self = error.isUnreachable && !ClientTrouble.isRefusal ? .unreachable : .failed
    default:
      switch Headrace.exitCode(for: error) {
      case .success: self = .success
      case .validationFailure: self = .usage
      default: self = .failed
      }
    }
  }

  /// Ends the process with what `error` means.
  static func exit(with error: any Error) -> Never {
    let status = ExitStatus(error)
    switch error {
    case is Ended, is StandardOutput.Closed: break
    case let error as HeadraceError:
      let text = "\(error)"
      if error.isUnreachable, let trouble = ClientTrouble.message, !text.contains(trouble) {
        StandardError.write("client: \(trouble)")
      }
      StandardError.write("error: \(text)")
    default:
      let message = Headrace.fullMessage(for: error)
      if status == .success {
        try? StandardOutput.writeAll(Array((message + "\n").utf8))
      } else if !message.isEmpty {
        StandardError.write(UsageMessage.improved(message, arguments: Array(CommandLine.arguments.dropFirst())))
      }
    }
    end(status)
  }

  /// Ends the process without the libraries' exit handlers.
  ///
  /// A client that waits for an answer still has threads at work, and OpenSSL's exit handler frees what they use: a
  /// refused SCRAM password ended in a segmentation fault that way. Our own output is unbuffered; only C's streams are
  /// flushed.
  static func end(_ status: ExitStatus) -> Never {
    fflush(nil)
    _exit(status.rawValue)
  }
}

extension HeadraceError {
  /// Whether no broker, or no server, answered, so that the same command may work later or elsewhere.
  var isUnreachable: Bool {
    if ["HTTP_UNREACHABLE", "HTTP_TIMEOUT"].contains(code) { return true }
    let codes: [KafkaErrorCode] = [
      .transport, .resolve, .allBrokersDown, .timedOut, .timedOutInQueue, .messageTimedOut, .requestTimedOut,
      .networkException, .coordinatorNotAvailable,
    ]
    return codes.contains { isKafka($0) }
  }
}
