internal import ArgumentParser

/// `HOST:PORT` as flags take it; an IPv6 address stands in brackets.
enum HostAndPort {
  static func parse(_ text: String, flag: String) throws -> (host: String, port: Int) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw ValidationError("\(flag) \(text): expected HOST:PORT, such as 127.0.0.1:9092")
    }
    var host = text[..<colon]
    if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, !host.contains(where: \.isWhitespace) else {
      throw ValidationError("\(flag) \(text): the host is missing; expected HOST:PORT, such as 127.0.0.1:9092")
    }
    return (String(host), Int(port))
  }

  /// Whether traffic to this host stays on this machine.
  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
  }
}
