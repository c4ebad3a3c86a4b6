import Core
import Testing

@testable import Serving

@Suite struct RequestFuzzTests {
  private static let seeds = [
    #"{"features":["user_stats:f0","user_stats:*"],"entities":{"user_id":[7,8,null,"9",1.0]}}"#,
    #"{"feature_service":"user_svc","entities":{"user_id":[7],"amount":[1.5]},"as_of":"2026-11-20T12:34:56Z"}"#,
    #"{"features":["route_stats:f0"],"entities":{"origin":["A"],"dest":["B"]},"min_offset":["users:0:5"],"wait_ms":5}"#,
  ]
  private static let pushSeed =
    #"{"push_source_name":"events","df":{"user_id":[7,8],"event_timestamp":["2026-11-20T12:34:56","2026-11-20"]}}"#

  /// Whatever comes is answered with a status that says whose fault it is, and never brings the process down.
  @Test(arguments: [UInt64(11), 12, 13])
  func `mutated requests are answered, never trapped on`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let call = FeatureCall(engine: FakeEngine())
    for round in 0..<3_000 {
      var body = Array(Self.seeds[round % Self.seeds.count].utf8)
      Self.mutate(&body, &random)
      let status = call.answer(body).status
      #expect([200, 404, 422].contains(status), "seed \(seed) round \(round): \(status)")
    }
  }

  @Test(arguments: [UInt64(21), 22])
  func `mutated pushes are encoded or refused, never trapped on`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let handler = PushHandler(catalog: TestCatalog.catalog, sink: FakeEngine(), limits: .init(), clock: .system)
    for _ in 0..<3_000 {
      var body = Array(Self.pushSeed.utf8)
      Self.mutate(&body, &random)
      do throws(Problem) {
        let work = try handler.work(.push, body.span)
        #expect(work.records.allSatisfy { !$0.value.isEmpty })
      } catch {
        #expect((400..<500).contains(error.status), "seed \(seed): \(error)")
      }
    }
  }

  private static func mutate(_ body: inout [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      guard !body.isEmpty else { return }
      let at = Int.random(in: 0..<body.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: body[at] = UInt8.random(in: 0...255, using: &random)
      case 1: body.remove(at: at)
      case 2: body.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: at)
      case 3: body.replaceSubrange(at..<at, with: Array("99999999999999999999999".utf8))
      default:
        let end = min(at + Int.random(in: 1...20, using: &random), body.count)
        body.replaceSubrange(at..<at, with: Array(body[at..<end]))
      }
    }
  }
}
