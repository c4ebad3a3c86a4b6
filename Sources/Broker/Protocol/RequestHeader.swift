/// What stands in front of every request: which API in which version, the number its response must carry, who asks.
///
/// Version 1 of the header, or version 2 (with tagged fields) for flexible requests. Version 0 has no client id; it
/// belongs to ControlledShutdown alone, which clients do not send.
package struct RequestHeader: Sendable, Equatable {
  package var key: APIKey
  /// The version of the API, not of the header. May be one that is not offered only for `ApiVersions`.
  package var version: Int16
  package var correlationID: Int32
  package var clientID: String?

  /// Longer client ids are refused: they end in logs and metrics.
  package static let clientIDLimitBytes = 1024

  package var isFlexible: Bool { APIVersions.isFlexible(key, version: version) }
}

extension RequestHeader {
  init(from reader: inout WireReader) throws(WireError) {
    let number = try reader.int16("request_api_key")
    guard let key = APIKey(rawValue: number) else { throw reader.error(.unknownAPI(number), "request_api_key") }
    self.key = key
    version = try reader.int16("request_api_version")
    // ApiVersions is how a client learns what is offered, so a version from the future gets an answer.
    guard APIVersions.isOffered(key, version: version) || (key == .apiVersions && version > 0) else {
      throw reader.error(.unsupportedVersion(key, version), "request_api_version")
    }
    correlationID = try reader.int32("correlation_id")
    // The client id is never compact, not even in header version 2.
    clientID = try reader.nullableString("client_id")
    if let length = clientID?.utf8.count, length > Self.clientIDLimitBytes {
      throw reader.error(.tooLong(bytes: length, limitBytes: Self.clientIDLimitBytes), "client_id")
    }
    reader.isFlexible = APIVersions.isFlexible(key, version: version)
    try reader.skipTags()
  }
}
