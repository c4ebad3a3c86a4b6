/// What is committed beside an offset: which plan read up to there, and the digest of what it did.
///
/// ASCII text, as the group's coordinator keeps it: `hr1 <plan fingerprint> <digest>`, both as 16 hexadecimal digits.
package struct CommitMetadata: Sendable, Equatable {
  package var planFingerprint: UInt64
  package var digest: UInt64

  package init(planFingerprint: UInt64, digest: UInt64) {
    self.planFingerprint = planFingerprint
    self.digest = digest
  }

  /// Names the way in which the digest is made, too: another way is another version.
  private static let version = "hr1"

  package var text: String { "\(Self.version) \(Hexadecimal.text(planFingerprint)) \(Hexadecimal.text(digest))" }

  /// nil when it is another version, or none of ours.
  package init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[0] == Self.version, words[1].count == 16, words[2].count == 16,
      let fingerprint = UInt64(words[1], radix: 16), let digest = UInt64(words[2], radix: 16)
    else { return nil }
    self.init(planFingerprint: fingerprint, digest: digest)
  }
}

/// Numbers as 16 digits.
enum Hexadecimal {
  static func text(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
