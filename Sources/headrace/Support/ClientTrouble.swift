internal import Kafka
internal import Synchronization

/// The newest line in which the client library complained: a time-out alone does not say why nobody answered.
enum ClientTrouble {
  private static let newest = Mutex<String?>(nil)

  static func note(_ line: LogLine) {
    guard line.level <= .warning else { return }
    newest.withLock { $0 = line.message }
  }

  static var message: String? { newest.withLock { $0 } }

  /// Whether somebody answered, and refused: the same command would be refused again.
  static var isRefusal: Bool {
    guard let message else { return false }
    return ["SASL authentication error", "SSL handshake failed"].contains { message.contains($0) }
  }
}
