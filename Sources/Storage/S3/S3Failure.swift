package import Core

/// What S3 says when it refuses, with what to do about it.
package struct S3Failure {
  package var status: Int
  /// `NoSuchKey`, `SlowDown`…; empty when the body says nothing.
  package var code = ""
  package var message = ""

  package init(status: Int, body: [UInt8]) {
    self.status = status
    guard let document = try? XMLElement(body), document.name == "Error" else { return }
    code = document["Code"] ?? ""
    message = String((document["Message"] ?? "").prefix(500))
  }

  /// Whether the service was unable rather than unwilling: the request may still have taken effect.
  var isTrouble: Bool {
    // The end of an upload in parts may say 200 and mean 500.
    status >= 500 || status == 429 || status == 408 || ["RequestTimeout", "InternalError", "SlowDown"].contains(code)
  }

  package func error(_ place: String, isChange: Bool) -> HeadraceError {
    let (name, remedy): (String, String) =
      switch code {
      case "NoSuchBucket": ("S3_NO_BUCKET", "create the bucket, or mend its name and region")
      case "AccessDenied": ("S3_ACCESS_DENIED", "let the key read, list, write and delete under this prefix")
      case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
        ("S3_CREDENTIALS_REFUSED", "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
      case "RequestTimeTooSkewed": ("S3_CLOCK_SKEWED", "set this machine's clock")
      case "AuthorizationHeaderMalformed", "PermanentRedirect": ("S3_WRONG_REGION", "set AWS_REGION to the bucket's")
      case "SlowDown": ("S3_SLOW_DOWN", "the service is overloaded: spread the load, or wait")
      case _ where isTrouble: ("S3_UNAVAILABLE", "wait until the service has recovered")
      case _ where status == 301 || status == 307: ("S3_WRONG_REGION", "set AWS_REGION or AWS_ENDPOINT_URL")
      default: ("S3_REFUSED", "check endpoint, bucket and permissions")
      }
    let said = code.isEmpty ? "status \(status)" : "\(status) \(code)\(message.isEmpty ? "" : ": \(message)")"
    return HeadraceError(
      .external, name, "S3 answered \(said)", retry: isTrouble ? (isChange ? .unknownOutcome : .sameCall) : .never,
      place: place, remedy: remedy)
  }
}
