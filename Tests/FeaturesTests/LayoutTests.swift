import Columns
import Core
import Testing

@testable import Features

@Suite struct LayoutTests {
  private func layout(_ features: [FeatureDefinition]) throws -> ViewLayout {
    try ViewLayout(ViewDefinition(name: "v", inputs: Scenario.inputs, features: features))
  }

  private func spans(_ windows: [Window]) throws -> [Int64] {
    try layout(windows.map { .init(name: $0.nameSuffix, function: .count, window: $0) }).regions.map(\.span)
  }

  @Test func `a window's hop is the largest usual one that fits twelve times and divides it`() {
    let hour = Scenario.hour
    let hops: [(Int64, Int64)] = [
      (60_000, 5_000), (600_000, 30_000), (hour, 300_000), (6 * hour, 1_800_000), (24 * hour, 2 * hour),
      (7 * 24 * hour, 12 * hour), (30 * 24 * hour, 24 * hour), (90 * 60_000, 300_000), (12_000, 1_000), (7_000, 7_000),
      (1_200, 100),
    ]
    for (length, hop) in hops { #expect(Window.sliding(length: length) == .sliding(length: length, hop: hop)) }
  }

  @Test func `windows share tiles where that is few to merge`() throws {
    let hour = Scenario.hour
    #expect(try spans([.sliding(length: hour)]) == [300_000])
    // 24 h on tiles of 30 min is 48 of them; 7 d on any of these would be more.
    #expect(
      try spans([.sliding(length: hour), .sliding(length: 6 * hour), .sliding(length: 24 * hour)]) == [
        300_000, 1_800_000,
      ])
    #expect(try spans([.sliding(length: hour), .sliding(length: 168 * hour)]) == [300_000, 12 * hour])
    #expect(
      try spans([.sliding(length: hour, hop: 300_000), .sliding(length: 24 * hour, hop: hour)]) == [300_000, hour])
    #expect(try spans([.tumbling(length: hour), .sliding(length: hour)]) == [300_000])
    #expect(
      try spans([.lifetime, .session(gap: 5_000), .lastEvents(3), .lastEvents(7), .tumbling(length: hour)]) == [
        hour, 1, 5_000, 7,
      ])
  }

  @Test func `features share slots`() throws {
    let window = Window.sliding(length: Scenario.hour)
    let functions: [AggregateFunction] = [
      .sum, .mean, .variance, .standardDeviation, .count, .percentile(0.1), .percentile(0.9), .lastK(2), .lastK(7),
    ]
    let view = try layout(functions.map { .init(name: "\($0)", function: $0, argument: 0, window: window) })
    #expect(view.groups.count == 1)
    #expect(view.slots.map(\.kind) == [.sumDouble, .squaresDouble, .lastK, .quantiles])
    #expect(view.slots[2].parameter == 7)
  }

  @Test func `equal state has an equal fingerprint, whatever it is called`() throws {
    let (hour, minute) = (Window.sliding(length: Scenario.hour), Window.sliding(length: Scenario.minute))
    let one: [FeatureDefinition] = [
      .init(name: "a", function: .sum, argument: 0, window: hour),
      .init(name: "b", function: .maximum, argument: 1, window: minute),
      .init(name: "c", function: .count, filter: 3, window: hour),
    ]
    var renamed = one.reversed() as [FeatureDefinition]
    for index in renamed.indices { renamed[index].name += "_renamed" }
    #expect(try layout(one).fingerprint == layout(renamed).fingerprint)
    let mean = FeatureDefinition(name: "m", function: .mean, argument: 0, window: hour)
    #expect(try layout(one).fingerprint == layout(one + [mean]).fingerprint)
    let minimum = FeatureDefinition(name: "m", function: .minimum, argument: 0, window: hour)
    #expect(try layout(one).fingerprint != layout(one + [minimum]).fingerprint)
    #expect(try layout(one).fingerprint != layout(Array(one.dropLast())).fingerprint)
  }

  @Test func `what does not fit is refused with a name and a remedy`() throws {
    let hour = Window.sliding(length: Scenario.hour)
    let wrong: [(FeatureDefinition, String)] = [
      (.init(name: "f", function: .sum, argument: 2, window: hour), "does not take a string"),
      (.init(name: "f", function: .mean, window: hour), "needs an argument"),
      (.init(name: "f", function: .count, filter: 1, window: hour), "must be boolean"),
      (.init(name: "f", function: .count, argument: 9, window: hour), "does not exist"),
      (.init(name: "f", function: .count, window: .sliding(length: 100, hop: 30)), "does not divide"),
      (.init(name: "f", function: .count, window: .sliding(length: 0, hop: 1)), "positive"),
      (.init(name: "f", function: .count, window: .sliding(length: 1 << 40, hop: 1)), "hops"),
      (.init(name: "f", function: .percentile(1.5), argument: 0, window: hour), "0...1"),
      (.init(name: "f", function: .topK(0), argument: 0, window: hour), "k must"),
      (.init(name: "f", function: .lastK(9_999), argument: 0, window: hour), "k must"),
      (.init(name: "f", function: .ewma(halfLifeMilliseconds: 100), argument: 0, window: hour), "half-life"),
      (.init(name: "f", function: .ewma(halfLifeMilliseconds: 100_000), argument: 0, window: .lifetime), "needs tiles"),
      (.init(name: "f", function: .rate(perMilliseconds: 1), window: .lifetime), "known length"),
      (.init(name: "f", function: .count, window: .session(gap: 0)), "positive"),
      (.init(name: "f", function: .count, window: .lastEvents(0)), "last(n)"),
    ]
    for (feature, words) in wrong {
      let error = #expect(throws: HeadraceError.self) { try layout([feature]) }
      #expect(error?.code == "FEATURE_INVALID" && error?.place == "v:f")
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "") of \(feature)")
    }
  }

  @Test func `the layout describes itself`() throws {
    let view = try layout([
      .init(name: "a", function: .sum, argument: 0, window: .sliding(length: Scenario.hour)),
      .init(name: "b", function: .count, window: .lifetime),
    ])
    #expect(
      view.description == """
        tiles of 5m: 16 × 48 B for 1h
        one tile for all time: 1 × 16 B
        """)
    #expect(view.stateBytesPerKey == 48 + 16 * 48 + 16)
  }

  @Test func `durations read as people write them`() {
    let texts: [(Int64, String)] = [
      (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (3_600_000, "1h"), (86_400_000, "24h"), (172_800_000, "48h"),
      (259_200_000, "3d"), (604_800_000, "7d"),
    ]
    for (milliseconds, text) in texts { #expect(Window.durationText(milliseconds) == text) }
  }
}
