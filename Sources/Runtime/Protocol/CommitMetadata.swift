internal import Core

/// What is committed beside an offset: which plan read up to there, and the digest of what it did.
///
/// ASCII text, as the group's coordinator keeps it: `hr1 <plan fingerprint> <digest>`, both as 16 hexadecimal digits;
/// of a task that scores ` <position> <since>` behind them.
package struct CommitMetadata: Sendable, Equatable {
  package var planFingerprint: UInt64
  package var digest: UInt64
  /// By which versions of the models records from here on are scored; nil of a task that scores nothing.
  package var scoring: ScoringPosition?

  package init(planFingerprint: UInt64, digest: UInt64, scoring: ScoringPosition? = nil) {
    self.planFingerprint = planFingerprint
    self.digest = digest
    self.scoring = scoring
  }

  /// Names the way in which the digest is made, too: another way is another version.
  private static let version = "hr1"

  package var text: String {
    let text = "\(Self.version) \(planFingerprint.hexadecimal) \(digest.hexadecimal)"
    return scoring.map { "\(text) \($0.position) \($0.since)" } ?? text
  }

  /// nil when it is another version, or none of ours.
  package init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3 || words.count == 5, words[0] == Self.version, words[1].count == 16, words[2].count == 16,
      let fingerprint = UInt64(words[1], radix: 16), let digest = UInt64(words[2], radix: 16)
    else { return nil }
    self.init(planFingerprint: fingerprint, digest: digest)
    guard words.count == 5 else { return }
    guard let position = Int64(words[3]), let since = Int64(words[4]) else { return nil }
    scoring = ScoringPosition(position: position, since: since)
  }
}

/// What the registry said at a place of the control topic, and since which offset of an input a task scores by it.
package struct ScoringPosition: Sendable, Equatable {
  /// Of the newest command that concerns the task's models; -1 before the first.
  package var position: Int64
  package var since: Int64

  package init(position: Int64, since: Int64) {
    self.position = position
    self.since = since
  }
}
