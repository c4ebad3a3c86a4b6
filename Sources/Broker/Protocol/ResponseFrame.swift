package import NIOCore

/// A whole response as it goes to the socket: length prefix, header, body.
package enum ResponseFrame {
  /// - Parameter header: that of the request which `response` answers.
  /// - Returns: the frame in pieces to be written one after the other; one piece unless large records are among them.
  package static func encode(
    _ response: some WireWritable, to header: RequestHeader, allocator: ByteBufferAllocator = ByteBufferAllocator()
  ) -> [ByteBuffer] {
    // A client that asked for an unknown version of ApiVersions reads the answer as version 0.
    let isOffered = APIVersions.isOffered(header.key, version: header.version)
    let version = isOffered ? header.version : 0
    var writer = WireWriter(
      isFlexible: APIVersions.isFlexible(header.key, version: version), allocator: allocator)
    writer.int32(0)
    writer.int32(header.correlationID)
    // Response header version 1 ends with tagged fields. ApiVersions always has version 0, so that a client can read
    // the answer before it knows the broker (KIP-511).
    if header.key != .apiVersions { writer.noTags() }
    response.write(to: &writer, version: version)
    writer.setFrameLength()
    return writer.finish()
  }
}
