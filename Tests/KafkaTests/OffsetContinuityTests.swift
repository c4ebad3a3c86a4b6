import Core
import Testing

@testable import Kafka

/// The check as a value, against every way in which a library may deliver out of line.
@Suite struct OffsetContinuityTests {
  @Test func deliversWhatContinues() {
    var continuity = OffsetContinuity(startingAt: 5)
    #expect(continuity.judge(5) == .deliver)
    continuity.advance(to: 8)
    #expect(continuity.nextOffset == 8)
    #expect(continuity.phase == .flowing)
  }

  @Test func dropsWhatWasDelivered() {
    var continuity = OffsetContinuity(startingAt: 5)
    #expect(continuity.judge(4) == .stale)
    #expect(continuity.judge(5) == .deliver)
    continuity.advance(to: 9)
    #expect(continuity.judge(8) == .stale)
    #expect(continuity.judge(9) == .deliver)
  }

  @Test func trustsHolesInMidStream() {
    var continuity = OffsetContinuity(startingAt: 0)
    #expect(continuity.judge(0) == .deliver)
    continuity.advance(to: 1)
    #expect(continuity.judge(7) == .deliver)
    #expect(continuity.verifiedGaps == 0)
  }

  @Test func readsTheFirstJumpTwice() {
    var continuity = OffsetContinuity(startingAt: 0)
    #expect(continuity.judge(3) == .readAgain)
    #expect(continuity.judge(3) == .deliver)
    #expect(continuity.verifiedGaps == 1)
    #expect(continuity.recoveredGaps == 0)
  }

  @Test func findsRecordsThatWereLeftOut() {
    var continuity = OffsetContinuity(startingAt: 10)
    #expect(continuity.judge(30) == .readAgain)
    #expect(continuity.judge(10) == .deliver)
    #expect(continuity.recoveredGaps == 1)
    #expect(continuity.verifiedGaps == 0)
  }

  @Test func trustsNoSingleReading() {
    var continuity = OffsetContinuity(startingAt: 10)
    #expect(continuity.judge(30) == .readAgain)
    #expect(continuity.judge(20) == .readAgain)
    #expect(continuity.judge(20) == .deliver)
    #expect(continuity.recoveredGaps == 1)
    #expect(continuity.verifiedGaps == 1)
  }

  @Test func givesUpOnALogThatNeverAgrees() {
    var continuity = OffsetContinuity(startingAt: 0)
    var verdict = OffsetContinuity.Verdict.readAgain
    var offset: Int64 = 100
    while verdict == .readAgain {
      verdict = continuity.judge(offset)
      offset += 1
    }
    #expect(verdict == .unstable)
  }

  @Test func asksAgainAfterEveryInterruption() {
    var continuity = OffsetContinuity(startingAt: 0)
    #expect(continuity.judge(0) == .deliver)
    continuity.advance(to: 1)
    continuity.interrupt(at: 1)
    #expect(continuity.judge(0) == .stale)
    #expect(continuity.judge(2) == .readAgain)
  }

  @Test func deliversEveryRecordOnce() {
    for seed in UInt64(0)..<500 { readLogWithHoles(seed) }
  }

  /// A log with holes, read by a library that now and then starts behind the position: every record comes out once, in
  /// order.
  private func readLogWithHoles(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let log = (0..<Int64(200)).filter { _ in random.below(4) > 0 }
    var continuity = OffsetContinuity(startingAt: 0)
    var delivered: [Int64] = []
    var reading = log[...]
    func restart(skipping count: Int = 0) {
      continuity.interrupt(at: continuity.nextOffset)
      reading = log.drop { $0 < continuity.nextOffset }.dropFirst(count)
    }
    while delivered.last != log.last {
      if random.below(20) == 0 { restart(skipping: Int(random.below(3))) }
      guard let offset = reading.popFirst() else {
        restart()
        continue
      }
      switch continuity.judge(offset) {
      case .deliver:
        delivered.append(offset)
        continuity.advance(to: offset + 1)
      case .readAgain: reading = log.drop { $0 < continuity.nextOffset }
      case .stale: continue
      case .unstable: Issue.record("a log that does not change is not unstable: seed \(seed)")
      }
    }
    #expect(delivered == log, "seed \(seed)")
  }
}
