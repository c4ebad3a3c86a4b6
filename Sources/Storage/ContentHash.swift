internal import Crypto

/// The name of bytes by their content.
package enum ContentHash {
  /// SHA-256 in small hexadecimal: 64 digits.
  package static func sha256(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

  /// Two small digits for each byte.
  package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let digits = Array("0123456789abcdef".utf8)
}

/// The same of bytes that come in pieces.
package struct ContentHasher {
  private var hasher = SHA256()

  package init() {}

  package mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }

  package consuming func finish() -> String { ContentHash.hexadecimal(hasher.finalize()) }
}
