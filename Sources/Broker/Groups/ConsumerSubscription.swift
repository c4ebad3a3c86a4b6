/// The topics in a consumer's JoinGroup metadata (Kafka's ConsumerProtocolSubscription, whose version 0 is the
/// beginning of every later version).
struct ConsumerSubscription: Sendable, Equatable {
  /// The protocol type whose metadata has this form.
  static let protocolType = "consumer"

  var topics: Set<String> = []

  /// Nil when the bytes are not of this form: the protocol type does not oblige anybody.
  init?(_ metadata: [UInt8]) {
    var rest = metadata[...]
    guard let version = Self.readInt16(&rest), version >= 0, let count = Self.readInt32(&rest), count >= 0 else {
      return nil
    }
    // Every topic takes two bytes at least, so that the loop ends with the bytes.
    for _ in 0..<count {
      guard let length = Self.readInt16(&rest), length >= 0, rest.count >= length,
        let topic = String(validating: rest.prefix(Int(length)), as: UTF8.self)
      else { return nil }
      topics.insert(topic)
      rest = rest.dropFirst(Int(length))
    }
  }

  private static func readInt16(_ rest: inout ArraySlice<UInt8>) -> Int16? {
    readBigEndian(&rest, count: 2).map { Int16(truncatingIfNeeded: $0) }
  }

  private static func readInt32(_ rest: inout ArraySlice<UInt8>) -> Int32? {
    readBigEndian(&rest, count: 4).map { Int32(truncatingIfNeeded: $0) }
  }

  private static func readBigEndian(_ rest: inout ArraySlice<UInt8>, count: Int) -> UInt32? {
    guard rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
