/// A request to another service.
package struct HTTPRequest: Sendable {
  package var method: String
  /// Absolute: `http://host:8081/schemas/ids/7`.
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]?
  package var credentials: HTTPCredentials?
  /// Whether sending it twice does what sending it once does; only then is it sent again after a failure.
  package var isRepeatable: Bool

  /// A `GET` is repeatable, everything else unless said so is not.
  package init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    credentials: HTTPCredentials? = nil, isRepeatable: Bool? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.credentials = credentials
    self.isRepeatable = isRepeatable ?? (method == "GET" || method == "HEAD")
  }
}

/// Sent with every request (RFC 7617). Does not show its password.
package struct HTTPCredentials: Sendable, CustomStringConvertible {
  package var username: String
  package var password: String

  package init(username: String, password: String) {
    self.username = username
    self.password = password
  }

  package var description: String { "\(username):***" }
}

/// A complete answer, whatever its status says.
package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first header of that name, in small letters.
  package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// Limits of a client.
package struct HTTPClientConfiguration: Sendable {
  /// For a call as a whole: connecting, waiting, reading, and all attempts.
  package var deadlineMilliseconds: Int64 = 10_000
  package var connectMilliseconds: Int64 = 2_000
  /// One attempt of a call.
  package var attemptMilliseconds: Int64 = 5_000
  /// A larger answer is an error, and is not read to its end.
  package var responseBytesMax = 8 << 20
  package var attemptsMax = 4
  /// Before the second attempt, on average; each further one waits twice as long.
  package var backoffMilliseconds: Int64 = 50
  /// Connections to one host; more requests at a time wait for one of them.
  package var connectionsMax = 8
  /// Answers after which a repeatable request is sent again.
  package var repeatedStatuses: Set<Int> = [429, 502, 503, 504]
  /// By name: the address that is connected to, whatever the name leads to by then. TLS still checks the name.
  package var addressOverrides: [String: String] = [:]

  package init() {}
}
