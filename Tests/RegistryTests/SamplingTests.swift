import Core
import Testing

@testable import Registry

/// Samples of a model: which one was in force at any place of the log, and who of two is followed.
struct SamplingTests {
  private func sampling(_ perMille: Int?, model: String = "fraud") -> Sampling {
    Sampling(topology: "pay", model: model, perMille: perMille, untilMilliseconds: perMille == nil ? 0 : 9)
  }

  @Test func `what was in force at any place is told from what is known later`() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<40 {
      var state = RegistryState()
      /// By offset: what was in force behind it, as plainly as it can be said.
      var naive: [(offset: Int64, perMille: Int?)] = []
      var newest: Int64?
      for step in 0..<30 {
        let offset = Int64(step * 7)
        let perMille = random.next() % 3 == 0 ? nil : Int(random.next() % 3 + 1) * 100
        let isStale = random.next() % 4 == 0
        let expected = isStale ? -1 : newest
        let outcome = state.apply(
          RegistryCommand(actor: "budget", change: .setSampling(sampling(perMille), expected: expected)),
          offset: offset, timeMilliseconds: 0)
        let before = naive.last?.perMille
        let isNew = newest == nil ? perMille != nil : perMille != before
        let isFollowed = !isStale && isNew
        #expect((outcome == .applied) == isFollowed)
        if isFollowed {
          naive.append((offset, perMille))
          newest = offset
        }
      }
      for place in Int64(-1)...210 {
        let expected = naive.last { $0.offset <= place }?.perMille
        #expect(state.sampling(topology: "pay", model: "fraud", at: place)?.sampling.perMille == expected)
      }
      #expect(state.sampling(topology: "pay", model: "other") == nil)
    }
  }

  @Test func `a command comes back out of its JSON`() throws {
    for (perMille, expected): (Int?, Int64?) in [(100, nil), (nil, 77), (999, 0)] {
      let command = RegistryCommand(
        id: "1", actor: "budget", reason: "r", change: .setSampling(sampling(perMille), expected: expected))
      #expect(try RegistryCommand(json: command.encoded()) == command)
      #expect(command.subject.key == "pay.fraud")
    }
    let wrong = RegistryCommand(actor: "", change: .setSampling(sampling(1_000), expected: nil))
    #expect(throws: HeadraceError.self) { try wrong.check() }
  }
}
