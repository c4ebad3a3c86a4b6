/// Checks that what arrives of one partition continues what its owner has.
///
/// A value: offsets in, verdicts out. Older versions of the library hand over stale records after a seek, a pause or a
/// rebalance, or resume behind records that were never delivered. Offsets alone tell a stale record; a jump ahead may
/// also be an honest hole (transaction markers, aborted records, compaction). Honest holes show the same first record
/// when the expected offset is read again, so the first jump after each interruption is read twice.
struct OffsetContinuity: Equatable {
  enum Phase: Equatable {
    /// Records flow without interruption: a jump ahead is a hole in the log.
    case flowing
    /// Nothing has arrived since the position was set.
    case interrupted
    /// The expected offset is being read again; `candidate` came first the last time.
    case verifying(candidate: Int64, attempts: Int)
  }

  enum Verdict: Equatable {
    /// Hand it over.
    case deliver
    /// It was delivered before, or belongs to a position that was left: drop it.
    case stale
    /// Drop it, seek to `nextOffset`, and ask again.
    case readAgain
    /// The log shows another first record at each attempt.
    case unstable
  }

  static let attemptsMaximum = 8

  /// The offset that is due: one past the last record that was handed over, or where reading started.
  private(set) var nextOffset: Int64
  private(set) var phase = Phase.interrupted
  private(set) var verifiedGaps: Int64 = 0
  private(set) var recoveredGaps: Int64 = 0

  init(startingAt offset: Int64) { nextOffset = offset }

  /// The position was set anew: by an assignment, a seek or a resume.
  mutating func interrupt(at offset: Int64) {
    nextOffset = offset
    phase = .interrupted
  }

  /// What to do with a record that arrives at `offset`. Deliver only tells: `advance` makes it so.
  mutating func judge(_ offset: Int64) -> Verdict {
    guard offset >= nextOffset else { return .stale }
    switch phase {
    case .flowing: return .deliver
    case .interrupted:
      guard offset > nextOffset else { break }
      phase = .verifying(candidate: offset, attempts: 1)
      return .readAgain
    case .verifying(let candidate, let attempts):
      if offset == nextOffset {
        recoveredGaps += 1
      } else if offset == candidate {
        verifiedGaps += 1
      } else if attempts >= Self.attemptsMaximum {
        return .unstable
      } else {
        if offset < candidate { recoveredGaps += 1 }
        phase = .verifying(candidate: offset, attempts: attempts + 1)
        return .readAgain
      }
    }
    phase = .flowing
    return .deliver
  }

  /// Everything below `offset` is handed over.
  mutating func advance(to offset: Int64) { nextOffset = max(nextOffset, offset) }
}
