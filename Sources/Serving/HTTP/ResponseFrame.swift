internal import Core
internal import NIOCore

/// A good answer as it goes on the wire, head and all, in memory that is used again and again.
///
/// The memory is free again when the socket took all of it at once, which is the rule; else the next answer gets other
/// memory.
struct ResponseFrame {
  private(set) var wire = ByteBuffer()
  /// Status line and date, which change once a second.
  private var head = ByteBuffer()
  private var headSecond = Int64.min

  /// Puts a head in front of `body`.
  ///
  /// - Parameters:
  ///   - inferenceHeaderBytes: how long the JSON in front of binary tensors is; nil without any.
  ///   - date: the `Date` of now; asked for once a second.
  mutating func frame(
    _ body: ByteBuffer, as contentType: Reply.ContentType, inferenceHeaderBytes: Int? = nil, nowMilliseconds: Int64,
    date: () -> String
  ) {
    let second = nowMilliseconds.dividedDown(by: 1_000).quotient
    if second != headSecond {
      headSecond = second
      head.clear()
      head.writeString("HTTP/1.1 200 OK\r\nDate: \(date())\r\nContent-Type: ")
    }
    wire.clear(minimumCapacity: head.readableBytes + 128 + body.readableBytes)
    wire.writeImmutableBuffer(head)
    wire.writeString(contentType.rawValue)
    if let inferenceHeaderBytes {
      wire.write("\r\nInference-Header-Content-Length: ")
      wire.writeDecimal(Int64(inferenceHeaderBytes))
    }
    wire.write("\r\nContent-Length: ")
    wire.writeDecimal(Int64(body.readableBytes))
    wire.write("\r\n\r\n")
    wire.writeImmutableBuffer(body)
  }
}
