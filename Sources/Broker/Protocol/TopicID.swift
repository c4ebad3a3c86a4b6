/// The identity of a topic (KIP-516): a topic that is deleted and made again has another one.
package struct TopicID: Hashable, Sendable, CustomStringConvertible {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// "No id": what versions without topic ids mean, and what a request by name carries.
  package static let zero = TopicID(high: 0, low: 0)

  /// A random id: version 4 of RFC 9562.
  package static func random(using generator: inout some RandomNumberGenerator) -> TopicID {
    TopicID(
      high: generator.next() & 0xffff_ffff_ffff_0fff | 0x4000,
      low: generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }

  /// Base64 with the URL alphabet and no padding (RFC 4648 section 5), as Kafka's tools print topic ids.
  package var description: String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var text = ""
    var pending: UInt64 = 0
    var pendingBits = 0
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        pending = pending << 8 | (word >> UInt64(shift)) & 0xff
        pendingBits += 8
        while pendingBits >= 6 {
          pendingBits -= 6
          text.append(alphabet[Int(pending >> UInt64(pendingBits) & 0x3f)])
        }
      }
    }
    text.append(alphabet[Int(pending << UInt64(6 - pendingBits) & 0x3f)])
    return text
  }
}
