package import NIOCore

/// One message of a SASL exchange.
package struct SaslAuthenticateRequest: WireReadable {
  package var authBytes: ByteBuffer
}

extension SaslAuthenticateRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    authBytes = try reader.bytes("auth_bytes")
    try reader.skipTags()
  }
}

package struct SaslAuthenticateResponse: WireWritable {
  package var errorCode: ErrorCode = .none
  package var errorMessage: String?
  package var authBytes = ByteBuffer()
  /// 0: the session has no end of its own.
  package var sessionLifetimeMilliseconds: Int64 = 0
}

extension SaslAuthenticateResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    writer.bytes(authBytes)
    if version >= 1 { writer.int64(sessionLifetimeMilliseconds) }
    writer.noTags()
  }
}
