internal import NIOCore

/// The memory that one event loop's reads share: those that are answered at once never overlap on it.
final class ReadWorkspace {
  var memory: ReadMemory
  var inference = InferenceMemory()

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
  var frame = ResponseFrame()

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
}
