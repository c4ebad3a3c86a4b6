/// Which records of one upstream partition the rows of a repartitioned view hold.
///
/// A commit's delta is a record for each key, so that between two commits the rows of some keys are further than those
/// of others.
struct UpstreamReach: Sendable, Hashable {
  /// Records below it are in all rows; nil when that is not known yet, after a restart.
  private(set) var wholeOffset: Int64?
  /// Records below it may be in some rows; none from it on is in any.
  private(set) var nextOffset: Int64

  /// - Parameter nextOffset: as the checkpoint has it: whether its last commit is there as a whole, it does not say.
  init(restoredAt nextOffset: Int64) {
    self.nextOffset = nextOffset
    wholeOffset = nextOffset == 0 ? 0 : nil
  }

  /// Something of the upstream partition was merged: a commit follows the one before it, and its watermark its rows.
  mutating func note(_ envelope: borrowing DeltaEnvelope) {
    if envelope.nextOffset > nextOffset {
      wholeOffset = nextOffset
      nextOffset = envelope.nextOffset
    }
    if !envelope.hasRow, envelope.nextOffset == nextOffset { wholeOffset = nextOffset }
  }
}
