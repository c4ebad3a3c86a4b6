import Testing

@testable import Serving

@Suite struct RequestPaceTests {
  private static let limits: ServingConfiguration.Pace = {
    var limits = ServingConfiguration.Pace()
    limits.idleMilliseconds = 60_000
    limits.headMilliseconds = 5_000
    limits.bodyMilliseconds = 10_000
    limits.answerMilliseconds = 30_000
    return limits
  }()
  private var pace = RequestPace(limits: limits, nowMilliseconds: 1_000)

  @Test mutating func `a request goes through its phases, each with a deadline of its own`() {
    #expect(pace.phase == .idle && pace.deadlineMilliseconds == 61_000 && !pace.waitsForPeer)
    pace.bytesArrived(nowMilliseconds: 2_000)
    #expect(pace.phase == .head && pace.deadlineMilliseconds == 7_000 && pace.waitsForPeer)
    // More bytes of the same headers do not buy time.
    pace.bytesArrived(nowMilliseconds: 6_000)
    #expect(pace.deadlineMilliseconds == 7_000)
    pace.headArrived(nowMilliseconds: 6_500)
    #expect(pace.phase == .body && pace.deadlineMilliseconds == 16_500 && pace.arrivedMilliseconds == 6_500)
    pace.bytesArrived(nowMilliseconds: 9_000)
    #expect(pace.deadlineMilliseconds == 16_500)
    pace.requestEnded(nowMilliseconds: 10_000)
    #expect(pace.phase == .answering && pace.deadlineMilliseconds == 40_000 && !pace.waitsForPeer)
    pace.answered(nowMilliseconds: 11_000)
    #expect(pace.phase == .idle && pace.deadlineMilliseconds == 71_000)
  }

  @Test mutating func `an answer in the middle of a body leaves the body's deadline`() {
    pace.bytesArrived(nowMilliseconds: 1_000)
    pace.headArrived(nowMilliseconds: 1_000)
    pace.answered(nowMilliseconds: 2_000)
    #expect(pace.phase == .body && pace.deadlineMilliseconds == 11_000)
    pace.requestEnded(nowMilliseconds: 3_000)
    #expect(pace.phase == .idle)
  }
}
