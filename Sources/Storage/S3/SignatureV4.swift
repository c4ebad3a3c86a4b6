internal import Core
internal import Crypto

/// Amazon's Signature Version 4 over the headers of a request.
///
/// Source: "AWS Signature Version 4 for API requests" (IAM User Guide) and "Authenticating Requests: Using the
/// Authorization Header" (Amazon S3 API Reference), whose examples are the tests.
struct SignatureV4 {
  var credentials: S3Credentials
  var region: String
  var service = "s3"

  struct Request {
    var method: String
    /// Percent-encoded, beginning with a slash.
    var path: String
    /// Not encoded.
    var query: [(name: String, value: String)]
    /// Names in small letters, `host` among them.
    var headers: [(name: String, value: String)]
    /// Hexadecimal SHA-256 of the body.
    var payloadHash: String
  }

  /// The value of `Authorization`. The headers must have `x-amz-date` with the same time.
  func authorization(_ request: Request, date: AmazonDate) -> String {
    let headers = request.headers.sorted { $0.name < $1.name }
    let names = headers.map(\.name).joined(separator: ";")
    let scope = "\(date.day)/\(region)/\(service)/aws4_request"
    let toSign =
      "AWS4-HMAC-SHA256\n\(date.text)\n\(scope)\n"
      + ContentHash.sha256(Array(Self.canonical(request, headers, names).utf8))
    var key = Self.code(Array("AWS4\(credentials.secretAccessKey)".utf8), date.day)
    for part in [region, service, "aws4_request"] { key = Self.code(key, part) }
    let signature = ContentHash.hexadecimal(Self.code(key, toSign))
    return
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
  }

  private static func canonical(
    _ request: Request, _ headers: [(name: String, value: String)], _ names: String
  ) -> String {
    let lines = headers.map { "\($0.name):\(trimmed($0.value))\n" }.joined()
    return "\(request.method)\n\(request.path)\n\(query(request.query))\n\(lines)\n\(names)\n\(request.payloadHash)"
  }

  /// Without white space around it; runs of spaces inside become one.
  private static func trimmed(_ value: String) -> String {
    value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }

  /// Encoded and in order, as it is sent too.
  static func query(_ query: [(name: String, value: String)]) -> String {
    let encoded = query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
    return encoded.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  private static func code(_ key: [UInt8], _ text: String) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
  }
}

/// A moment as `20130524T000000Z`.
struct AmazonDate {
  let text: String
  var day: String { String(text.prefix(8)) }

  init(milliseconds: Int64) {
    // `2013-05-24T00:00:00Z` without its separators.
    let seconds = floorDivide(milliseconds, 1_000) * 1_000
    text = String(RFC3339.text(milliseconds: seconds).filter { $0 != "-" && $0 != ":" })
  }
}
