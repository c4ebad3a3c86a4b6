internal import NIOCore

/// The memory that one event loop's reads share: those that are answered at once never overlap on it.
final class ReadWorkspace {
  var memory: ReadMemory

  init(_ offer: Offer) { memory = ReadMemory(offer) }
}

@available(*, unavailable)
extension ReadWorkspace: Sendable {}

/// What one read needs for its length, kept from read to read so that a read allocates next to nothing.
struct ReadMemory {
  var request = FeatureRequest()
  var answer: FeatureAnswer
  /// The body of the answer.
  var text = ByteBuffer()
  /// The answer as it goes on the wire. Its memory is free again when the socket took all of it at once, which is the
  /// rule; else the next answer gets other memory.
  var wire = ByteBuffer()
  private var head = ByteBuffer()
  private var headSecond = Int64.min

  /// What the answer's memory was made for.
  private var offer: Offer

  init(_ offer: Offer) {
    self.offer = offer
    answer = FeatureAnswer(catalog: offer.catalog, source: offer.features)
  }

  /// Another plan may be offered than the last read was answered by.
  mutating func take(_ offered: Offer) {
    guard offered !== offer else { return }
    self = ReadMemory(offered)
  }

  /// Counts a read that is answered.
  func countReads(receivedBytes: Int) {
    offer.reads.served(answer.shape, rows: answer.rowCount)
    offer.reads.sent(bytes: text.readableBytes)
    offer.reads.received(bytes: receivedBytes)
  }

  func takeSample(nowMilliseconds: Int64) { offer.takeSample(answer, nowMilliseconds: nowMilliseconds) }

  /// Puts the head of a good answer in front of `text`.
  ///
  /// - Parameter date: the `Date` of now; asked for once a second.
  mutating func frame(nowMilliseconds: Int64, date: () -> String) {
    let second = nowMilliseconds.dividedDown(by: 1_000).quotient
    if second != headSecond {
      headSecond = second
      head.clear()
      head.writeString(
        "HTTP/1.1 200 OK\r\nDate: \(date())\r\nContent-Type: \(Reply.ContentType.json.rawValue)\r\nContent-Length: ")
    }
    wire.clear(minimumCapacity: head.readableBytes + 24 + text.readableBytes)
    wire.writeImmutableBuffer(head)
    wire.writeDecimal(Int64(text.readableBytes))
    wire.write("\r\n\r\n")
    wire.writeImmutableBuffer(text)
  }
}
