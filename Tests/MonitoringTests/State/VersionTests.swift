import Core
import Drift
import Testing

@testable import Monitoring

/// Evidence of which versions scored the rows of a window, and of what it is compared with.
@Suite struct VersionTests {
  /// In the middle of the fifth window.
  private static let promotedAt = 270 * Stream.minute

  private func alarms(_ results: [MonitorResult]) -> [DriftAlarm] {
    results.compactMap { if case .alarm(let alarm) = $0.content { alarm.drift } else { nil } }
  }

  private func state(_ reference: MonitorReference, _ names: SegmentNames, given: [NumericProfile?]? = nil)
    -> MonitorState
  {
    var state = MonitorState(Stream.definition { $0.reference = reference }, reference: given)
    state.names = names
    return state
  }

  @Test func `An alarm says which versions scored its rows, and those of its reference`() throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      var names = SegmentNames()
      let stream = Stream(
        rows: 12_000, partitions: 2, minutes: 600, seed: seed, promotedAt: Self.promotedAt, names: &names)
      var state = state(.trailing(windows: 7), names)
      let results = stream.feed(&state, seed: seed)
      for result in results where result.kind == "window" {
        let known = Set(result.window.versions.keys)
        let expected: Set<Int32> =
          result.window.endMilliseconds <= Self.promotedAt
          ? [1] : result.window.startMilliseconds >= Self.promotedAt ? [2] : [1, 2]
        #expect(known == expected, "seed \(seed)")
        #expect(result.window.versions.values.reduce(0, +) == result.window.rowCount, "seed \(seed)")
      }
      let found = alarms(results)
      #expect(!found.isEmpty && found.allSatisfy { $0.feature == "prediction" }, "seed \(seed)")
      // What rings is not part of the reference, so that it stays that of the first version.
      #expect(found.allSatisfy { Set($0.reference.versions.keys) == [1] }, "seed \(seed)")
    }
  }

  @Test func `What is saved has the versions, and goes on with them`() throws {
    var names = SegmentNames()
    let stream = Stream(rows: 6_000, partitions: 2, minutes: 600, seed: 4, promotedAt: Self.promotedAt, names: &names)
    var whole = state(.trailing(windows: 7), names)
    _ = stream.feed(&whole, seed: 4)
    let restored = try #require(try MonitorState(whole.definition, decoding: whole.encoded))
    #expect(restored.encoded == whole.encoded)
    #expect(restored.history.map(\.versions) == whole.history.map(\.versions))
  }

  @Test func `An acknowledged reference is that of the version that answers now`() throws {
    var names = SegmentNames()
    let stream = Stream(
      rows: 12_000, partitions: 1, minutes: 600, seed: 5, promotedAt: Self.promotedAt, names: &names)
    var state = state(.trailing(windows: 7), names)
    var isTold = false
    let results = stream.feed(&state, seed: 5) { state in
      // When the first window of the new version alone is over.
      if !isTold, state.closedWindow >= 5 {
        isTold = true
        state.apply(.acknowledge(atMilliseconds: (state.closedWindow + 1) * 60 * Stream.minute, reason: "promoted"))
      }
    }
    let late = alarms(results).filter { $0.current.startMilliseconds >= 420 * Stream.minute }
    #expect(isTold && late.isEmpty)
    #expect(state.history.allSatisfy { Set($0.versions.keys) == [2] })
  }

  /// A training set has no predictions: what stood in for them begins anew as well.
  @Test func `A given reference keeps what it has, and takes new predictions when told to`() throws {
    var names = SegmentNames()
    let before = Stream(rows: 4_000, partitions: 1, minutes: 300, seed: 6, names: &names)
    var first = state(.trailing(windows: 7), names)
    _ = before.feed(&first, seed: 6)
    let profiles = try #require(first.history.first?.profiles)
    let given = profiles.enumerated().map { column, profile in
      column == profiles.count - 1 ? nil : Optional(profile)
    }
    let stream = Stream(
      rows: 12_000, partitions: 1, minutes: 600, seed: 7, promotedAt: Self.promotedAt, names: &names)
    for isAcknowledged in [false, true] {
      var state = state(.given(name: "d@1"), names, given: given)
      var isTold = false
      let results = stream.feed(&state, seed: 7) { state in
        if isAcknowledged, !isTold, state.closedWindow >= 5 {
          isTold = true
          state.apply(.acknowledge(atMilliseconds: 0, reason: "promoted"))
        }
      }
      // One that goes on is told once, and stands in each of its windows.
      let late = results.filter { $0.window.startMilliseconds >= 480 * Stream.minute }.contains { result in
        guard case .window(let features) = result.content else { return false }
        return features.contains { $0.feature == "prediction" && $0.alarm != nil }
      }
      #expect(late == !isAcknowledged)
      #expect(Set(state.history.first?.versions.keys.map { $0 } ?? []) == (isAcknowledged ? [2] : [1]))
      #expect(state.history.first?.profiles.first?.rowCount == profiles.first?.rowCount)
    }
  }
}
