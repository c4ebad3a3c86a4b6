package import Core
internal import Crypto

/// The signature of Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`.
///
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package enum WebhookSignature {
  /// - Parameter secret: `whsec_` and base64; anything else is taken as it is.
  /// - Returns: the code; receivers see it as `v1,` and its base64.
  /// - Throws: SECRET_INVALID for a secret whose base64 is none.
  package static func code(
    id: String, seconds: Int64, body: [UInt8], secret: String
  ) throws(HeadraceError) -> [UInt8] {
    var key = Array(secret.utf8)
    if secret.hasPrefix("whsec_") {
      guard let decoded = decode(secret.dropFirst("whsec_".count)) else {
        throw HeadraceError(.user, "SECRET_INVALID", "what follows whsec_ is no base64")
      }
      key = decoded
    }
    let signed = Array("\(id).\(seconds).".utf8) + body
    return Array(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key)))
  }

  private static func decode(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in text.utf8 where byte != UInt8(ascii: "=") {
      guard let value = digit(byte) else { return nil }
      bits = bits << 6 | value
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      bits &= (1 << count) - 1
    }
    // What is left over is padding: a whole character of it says that some is missing.
    guard count < 6, bits == 0 else { return nil }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
