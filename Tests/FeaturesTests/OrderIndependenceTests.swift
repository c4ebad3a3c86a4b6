import Columns
import Core
import Testing

@testable import Features

/// A row's answers are a function of the set of events.
@Suite struct OrderIndependenceTests {
  @Test(arguments: [false, true])
  func `any order and any split into deltas read the same to the bit`(extremes: Bool) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let layout = try ViewLayout(Scenario.everything())
      let events = Scenario.events(100, &random, extremes: extremes)
      let newest = events.map(\.time).max() ?? 0
      let times = (0..<2).map { _ in newest - Int64.random(in: -Scenario.minute...Scenario.minute, using: &random) }
      let expected = layout.row(of: events, watermark: .min)
      for _ in 0..<2 {
        let shuffled = layout.row(of: events.shuffled(using: &random), watermark: .min)
        expectSame(layout, expected, shuffled, times, "seed \(seed) shuffled")
        let merged = merged(layout, events.shuffled(using: &random), &random)
        expectSame(layout, expected, merged, times, "seed \(seed) merged")
      }
    }
  }

  /// A row of random deltas: some of them are merged into others first.
  private func merged(_ layout: ViewLayout, _ events: [TestEvent], _ random: inout SplitMix64) -> FeatureRow {
    var result = FeatureRow(layout)
    var rest = events[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int.random(in: 1...40, using: &random))
      rest = rest.dropFirst(part.count)
      let half = part.count / 2
      var delta = layout.row(of: Array(part.prefix(half)), watermark: .min)
      let other = layout.row(of: Array(part.dropFirst(half)), watermark: .min)
      layout.merge(other, into: &delta, watermark: .min)
      layout.merge(delta, into: &result, watermark: .min)
    }
    return result
  }

  private func expectSame(
    _ layout: ViewLayout, _ left: borrowing FeatureRow, _ right: borrowing FeatureRow, _ times: [Int64],
    _ context: String
  ) {
    for time in times {
      let (one, two) = (layout.values(left, at: time), layout.values(right, at: time))
      for (index, feature) in layout.definition.features.enumerated() {
        let isSame = one[index].value.isIdentical(to: two[index].value) && one[index].flags == two[index].flags
        guard !isSame else { continue }
        Issue.record("\(context) \(feature) at \(time): \(one[index]) and \(two[index])")
        return
      }
    }
  }

  @Test func `merging under a watermark drops only what cannot be read`() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let lateness = 90 * Scenario.second
      let windows: [Window] = [.sliding(length: Scenario.minute), .tumbling(length: 2 * Scenario.minute), .lifetime]
      let layout = try ViewLayout(Scenario.everything(lateness: lateness, windows: windows))
      let events = Scenario.events(120, &random, spread: 10 * Scenario.minute, extremes: false)
      let watermark = events.map(\.time).max() ?? 0
      let whole = layout.row(of: events, watermark: .min)
      var pruned = FeatureRow(layout)
      layout.merge(whole, into: &pruned, watermark: watermark)
      var expired = whole.copy()
      layout.expire(&expired, watermark: watermark)
      #expect(expired.byteCount <= whole.byteCount)
      let times = [0, 1, 45_000, 90_000].map { watermark - $0 }
      expectSame(layout, whole, pruned, times, "seed \(seed) pruned")
      expectSame(layout, whole, expired, times, "seed \(seed) expired")
      #expect(expired.cellCount(0) == pruned.cellCount(0))
    }
  }

  @Test func `sessions that a late event joins become one`() throws {
    let layout = try ViewLayout(Scenario.everything(windows: [.session(gap: 40 * Scenario.second)]))
    let events = [0, 60, 180, 150, 30, 110].enumerated().map { index, second in
      TestEvent(
        time: Int64(second) * 1_000, position: .init(partition: 0, offset: Int64(index)),
        values: [.double(Double(second)), .integer(1), .string("a"), .boolean(true), .null])
    }
    var counts: [Int] = []
    var row = FeatureRow(layout)
    for event in events {
      layout.apply([event], to: &row, watermark: .min)
      counts.append(row.cellCount(0))
    }
    // 0 · 60 · 180, then 150 joins 180, 30 joins 0 and 60, and 110 both of what is left.
    #expect(counts == [1, 2, 3, 3, 2, 2])
    #expect(layout.values(row, at: 200_000)[0].value == .integer(3))
    let bridge = TestEvent(time: 80_000, position: .init(partition: 0, offset: 9), values: events[0].values)
    layout.apply([bridge], to: &row, watermark: .min)
    #expect(row.cellCount(0) == 1)
    #expect(layout.values(row, at: 200_000)[0].value == .integer(7))
  }
}
