internal import Core
internal import Kafka

/// Reads from dead letters which events of one source broke their contract, and who sent them.
struct RefusedSource {
  /// Where an output of a task comes from: `topic/partition@offset`.
  private static let placeHeader = "headrace-src"
  private static let producerHeader = "ce_source"
  private static let producerBytesMaximum = 256

  let topic: String

  struct Event: Equatable {
    var partition: Int32
    var offset: Int64
    var producer: String?
  }

  /// - Returns: nil for what is of another source.
  func event(of record: borrowing ConsumedRecord) -> Event? {
    let headers = record.headers
    guard let place = headers.last(Self.placeHeader), let text = Self.text(place),
      var event = Self.event(text, topic: topic)
    else { return nil }
    if let producer = headers.last(Self.producerHeader), producer.byteCount <= Self.producerBytesMaximum {
      event.producer = Self.text(producer)
    }
    return event
  }

  static func event(_ place: String, topic: String) -> Event? {
    guard let at = place.lastIndex(of: "@"), let slash = place[..<at].lastIndex(of: "/"), place[..<slash] == topic,
      let partition = Int32(place[place.index(after: slash)..<at]),
      let offset = Int64(place[place.index(after: at)...]),
      partition >= 0, offset >= 0
    else { return nil }
    return Event(partition: partition, offset: offset)
  }

  private static func text(_ bytes: RawSpan) -> String? {
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
