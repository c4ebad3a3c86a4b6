package import Core

/// Where a bucket is and who asks.
package struct S3Configuration: Sendable {
  package var bucket: String
  /// In front of every name, without a slash at its end; empty for the whole bucket.
  package var prefix: String
  package var region: String
  package var endpoint: Endpoint
  package var credentials: S3Credentials
  /// `http://host/bucket/name` in place of `http://bucket.host/name`.
  package var isPathStyle: Bool
  /// Larger objects go in parts of this size; S3 takes at least 5 MiB.
  package var partBytes = 8 << 20
  package var deadlineMilliseconds: Int64 = 60_000
  package var attemptMilliseconds: Int64 = 20_000
  package var attemptsMax = 6

  package struct Endpoint: Sendable, Equatable {
    package var isEncrypted: Bool
    /// With its port, if it is not the scheme's.
    package var authority: String

    var scheme: String { isEncrypted ? "https" : "http" }
  }

  /// Reads `s3://bucket/prefix` and the variables that all of Amazon's tools know: `AWS_ACCESS_KEY_ID`,
  /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL_S3` (or
  /// `AWS_ENDPOINT_URL`), and as other readers of Delta tables `AWS_VIRTUAL_HOSTED_STYLE_REQUEST`, `AWS_ALLOW_HTTP`.
  ///
  /// - Throws: S3_URL_INVALID, S3_CREDENTIALS_MISSING, S3_ENDPOINT_INVALID.
  package init(url: String, environment: [String: String]) throws(HeadraceError) {
    (bucket, prefix) = try Self.parse(url)
    func variable(_ names: String...) -> String? {
      names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
    guard let key = variable("AWS_ACCESS_KEY_ID"), let secret = variable("AWS_SECRET_ACCESS_KEY") else {
      throw HeadraceError(
        .user, "S3_CREDENTIALS_MISSING", "there are no credentials for S3 in the environment", place: url,
        remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN if they are temporary")
    }
    credentials = S3Credentials(
      accessKeyID: key, secretAccessKey: secret, sessionToken: variable("AWS_SESSION_TOKEN"))
    region = variable("AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1"
    let isVirtual = variable("AWS_VIRTUAL_HOSTED_STYLE_REQUEST").map { $0 == "true" || $0 == "1" }
    if let text = variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") {
      endpoint = try Self.endpoint(text, allowsPlain: variable("AWS_ALLOW_HTTP") == "true")
      isPathStyle = !(isVirtual ?? false)
    } else {
      endpoint = Endpoint(isEncrypted: true, authority: "s3.\(region).amazonaws.com")
      // The certificate of *.s3.amazonaws.com covers one label.
      isPathStyle = !(isVirtual ?? !bucket.utf8.contains(UInt8(ascii: ".")))
    }
  }

  private static func parse(_ url: String) throws(HeadraceError) -> (bucket: String, prefix: String) {
    let scheme = "s3://"
    let rest = url.hasPrefix(scheme) ? url.dropFirst(scheme.count) : ""
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let bucket = parts.first.map(String.init) ?? ""
    var prefix = parts.count > 1 ? String(parts[1]) : ""
    if prefix.hasSuffix("/") { prefix.removeLast() }
    let isPlain = bucket.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isPlain, (3...63).contains(bucket.utf8.count), !bucket.contains("..") else {
      throw HeadraceError(
        .user, "S3_URL_INVALID", "this names no bucket: \"\(url)\"",
        remedy: "write s3://BUCKET/PREFIX; a bucket has 3 to 63 small letters, digits, dots and hyphens")
    }
    if !prefix.isEmpty { _ = try BlobName(prefix) }
    return (bucket, prefix)
  }

  private static func endpoint(_ text: String, allowsPlain: Bool) throws(HeadraceError) -> Endpoint {
    func failure(_ reason: String, _ remedy: String) -> HeadraceError {
      HeadraceError(.user, "S3_ENDPOINT_INVALID", reason, place: text, remedy: remedy)
    }
    let isEncrypted = text.hasPrefix("https://")
    guard isEncrypted || text.hasPrefix("http://") else {
      throw failure("the endpoint is no URL", "write http://HOST:PORT or https://HOST")
    }
    var authority = text.dropFirst(isEncrypted ? 8 : 7)
    if authority.hasSuffix("/") { authority.removeLast() }
    guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#@\\".utf8.contains($0) })
    else {
      throw failure("the endpoint has more than a host and a port", "write http://HOST:PORT or https://HOST")
    }
    let host = authority.split(separator: ":").first ?? ""
    guard isEncrypted || allowsPlain || ["localhost", "127.0.0.1", "[::1]"].contains(host) || host.hasPrefix("127.")
    else {
      throw failure(
        "the endpoint of another machine is not encrypted", "use https, or set AWS_ALLOW_HTTP=true if you must")
    }
    return Endpoint(isEncrypted: isEncrypted, authority: String(authority))
  }
}

/// Keys of an account. Does not show its secrets.
package struct S3Credentials: Sendable, CustomStringConvertible {
  package var accessKeyID: String
  package var secretAccessKey: String
  package var sessionToken: String?

  package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
  }

  package var description: String { "\(accessKeyID):***" }
}
