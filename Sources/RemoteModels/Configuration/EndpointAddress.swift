package import Core

/// The one place that requests of a model go to. Nothing that comes over the network can change it: paths are made of
/// configured names, redirects are not followed.
package struct EndpointAddress: Sendable, Hashable {
  /// `http` or `https`.
  package let scheme: String
  package let host: String
  /// Without a slash at its end.
  package let base: String

  /// - Throws: `REMOTE_URL_INVALID` for anything but scheme, host, port and path.
  package init(_ url: String) throws(HeadraceError) {
    guard let separator = url.firstRange(of: "://") else { throw Self.invalid(url, "no scheme") }
    scheme = url[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { throw Self.invalid(url, "the scheme \(scheme.prefix(20))") }
    let rest = url[separator.upperBound...]
    guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else {
      throw Self.invalid(url, "blanks, backslashes or characters that are not ASCII")
    }
    guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { throw Self.invalid(url, "a query or a fragment") }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else { throw Self.invalid("\(scheme)://***", "a user or a password") }
    let host: Substring
    let port: Substring
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[...end]
      port = authority[authority.index(after: end)...]
    } else {
      host = authority.prefix { $0 != ":" }
      port = authority.dropFirst(host.count)
    }
    guard !host.isEmpty else { throw Self.invalid(url, "no host") }
    if !port.isEmpty {
      guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
        throw Self.invalid(url, "the port \(port.dropFirst().prefix(20))")
      }
    }
    let path = rest.dropFirst(authority.count)
    guard !path.split(separator: "/").contains("..") else { throw Self.invalid(url, "`..` in the path") }
    self.host = String(host)
    var base = "\(scheme)://\(authority)\(path)"
    while base.hasSuffix("/") { base.removeLast() }
    self.base = base
  }

  /// Whether a secret would cross a network unencrypted.
  package var isUnencrypted: Bool { scheme == "http" && !["localhost", "127.0.0.1", "[::1]"].contains(host) }

  /// - Parameter parts: each is escaped (RFC 3986), so that none can lead elsewhere.
  func url(_ parts: [String]) -> String { base + parts.map { "/\(EscapedText.url($0))" }.joined() }

  private static func invalid(_ url: String, _ found: String) -> HeadraceError {
    HeadraceError(
      .user, "REMOTE_URL_INVALID",
      "`\(url.prefix(120))` is no endpoint: found \(found), expected a scheme, a host and "
        + "perhaps a port and a path", remedy: "write http://HOST:PORT or https://HOST/PATH")
  }
}
