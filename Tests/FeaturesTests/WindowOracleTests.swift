import Columns
import Core
import Testing

@testable import Features

/// The engine against a naive view that keeps all events.
@Suite struct WindowOracleTests {
  @Test(arguments: [false, true])
  func `every aggregate over every window equals the naive view`(extremes: Bool) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let lateness = [0, 30, 120][Int(seed % 3)] * Scenario.second
      let layout = try ViewLayout(Scenario.everything(lateness: lateness))
      let events = Scenario.events(120, &random, extremes: extremes)
      var row = FeatureRow(layout)
      var naive = NaiveView(layout.definition)
      for start in stride(from: 0, to: events.count, by: 15) {
        let part = Array(events[start..<min(start + 15, events.count)])
        layout.apply(part, to: &row)
        naive.append(part)
        let watermark = part.reduce(part[0].watermark) { max($0, $1.time) }
        if Bool.random(using: &random) { layout.expire(&row, watermark: watermark) }
        for _ in 0..<2 {
          let past = Int64.random(in: 0...lateness, using: &random)
          let future = Int64.random(in: 0...3 * Scenario.minute, using: &random)
          let time = Bool.random(using: &random) ? watermark - past : watermark + future
          check(layout, row, naive, at: time, watermark: watermark, "seed \(seed) extremes \(extremes)")
        }
      }
    }
  }

  private func check(
    _ layout: ViewLayout, _ row: borrowing FeatureRow, _ naive: NaiveView, at time: Int64, watermark: Int64,
    _ context: String
  ) {
    let values = layout.values(row, at: time, watermark: watermark)
    var windows: [Window: [TestEvent]] = [:]
    for (index, feature) in layout.definition.features.enumerated() {
      let found = values[index]
      // Everything that is expected to be readable is.
      let isPast = time < watermark
      if case .lastEvents = feature.window, isPast { continue }
      let tile = layout.regions[layout.features[index].region].span
      let events = windows[feature.window] ?? naive.events(feature.window, at: time, tile: tile)
      windows[feature.window] = events
      let expected = naive.value(feature, of: events, at: time)
      let isRight =
        Self.matches(found.value, expected, feature.function) && !found.flags.contains(.beforeHorizon)
        && found.status == (expected == .null ? .nullValue : .present)
      guard !isRight else { continue }
      Issue.record("\(context) \(feature) at \(time) watermark \(watermark): \(found), expected \(expected)")
      return
    }
  }

  /// Exact functions to the bit; approximations within what they promise.
  private static func matches(_ found: Value, _ expected: Value, _ function: AggregateFunction) -> Bool {
    switch (function, found, expected) {
    case (.variance, .double(let found), .double(let expected)),
      (.standardDeviation, .double(let found), .double(let expected)),
      (.ewma, .double(let found), .double(let expected)):
      // The naive figure overflows or cancels where the engine's does not.
      guard expected.isFinite, expected.magnitude < 1e100 else { return true }
      return (found - expected).magnitude <= 1e-6 * max(expected.magnitude, 1e-3) || expected.magnitude > 1e15
    case (.percentile, .double(let found), .double(let expected)):
      return (found - expected).magnitude <= QuantileSketch.relativeAccuracy * expected.magnitude
    case (.mean, .double(let found), .double(let expected)):
      return found.bitPattern == expected.bitPattern || expected.isInfinite || expected.magnitude < 1e-300
    case (.topK, _, _): return found == expected
    default: return found.isIdentical(to: expected)
    }
  }

  @Test func `a window empties by itself when its key goes quiet`() throws {
    let window = Window.sliding(length: Scenario.minute)
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v", inputs: Scenario.inputs,
        features: [
          .init(name: "count", function: .count, window: window),
          .init(name: "mean", function: .mean, argument: 0, window: window),
          .init(name: "all", function: .count, window: .lifetime),
        ]))
    let events = (0..<5).map { index in
      TestEvent(
        time: Int64(index) * 1_000, position: .init(partition: 0, offset: Int64(index)),
        values: [.double(2), .integer(1), .null, .null, .null])
    }
    let row = layout.row(of: events)
    let counts = [4_000, 59_999, 60_000, 64_999, 65_000, 1_000_000].map { time in
      layout.values(row, at: time).map(\.value)
    }
    #expect(counts.map { $0[0] } == [5, 5, 5, 5, 0, 0].map { .integer($0) })
    #expect(counts.map { $0[1] } == [.double(2), .double(2), .double(2), .double(2), .null, .null])
    #expect(counts.allSatisfy { $0[2] == .integer(5) })
  }
}
