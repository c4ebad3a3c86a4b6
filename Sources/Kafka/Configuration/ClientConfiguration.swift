/// What every client of a Kafka cluster needs.
package struct ClientConfiguration: Sendable {
  /// `host:port`, separated by commas.
  package var bootstrapServers: String
  /// The name under which the broker logs this client.
  package var clientID = "headrace"
  package var security = SecurityConfiguration()
  /// The longest wait for one answer of a broker, in milliseconds.
  package var requestTimeoutMilliseconds: Int32 = 30_000
  /// The longest pause between two attempts to connect, in milliseconds.
  package var reconnectBackoffMaximumMilliseconds: Int32 = 2_000
  /// Receives what the library has to say. Called on any of its threads: must be quick, and must not call the client.
  package var log: @Sendable (LogLine) -> Void = { _ in }
  /// The least severe line that reaches `log`.
  package var logLevel: LogLine.Level = .warning
  /// Further properties of librdkafka by name, applied last.
  package var properties: [String: String] = [:]

  package init(bootstrapServers: String) { self.bootstrapServers = bootstrapServers }
}

/// One line of the client library's log.
package struct LogLine: Sendable, CustomStringConvertible {
  /// Severities of syslog (RFC 5424 section 6.2.1).
  package enum Level: Int32, Sendable, Comparable {
    case emergency, alert, critical, error, warning, notice, info, debug

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  package var level: Level
  /// The part of the library that speaks: `FAIL`, `REQTMOUT`.
  package var facility: String
  package var message: String

  package var description: String { "\(level) \(facility): \(message)" }
}
