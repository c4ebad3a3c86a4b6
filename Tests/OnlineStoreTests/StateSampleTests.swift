import Columns
import Core
import Features
import Glibc
import Rocks
import TestSupport
import Testing

@testable import OnlineStore

/// An estimate beside the state that a store really has of as many keys, with other values than the sample's.
@Suite struct StateSampleTests {
  static let hour: Int64 = 3_600_000

  private func layout() throws -> ViewLayout {
    let hour = Window.sliding(length: Self.hour)
    let day = Window.sliding(length: 24 * Self.hour)
    return try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [ViewInput(type: .double, canonicalText: "amount")],
        features: [
          .init(name: "count_1h", function: .count, window: hour),
          .init(name: "sum_1h", function: .sum, argument: 0, window: hour),
          .init(name: "max_24h", function: .maximum, argument: 0, window: day),
          .init(name: "distinct_24h", function: .countDistinct, argument: 0, window: day),
        ], latenessMilliseconds: 180_000))
  }

  /// Keys by Zipf's law, as the estimate assumes; amounts by thirds, that it does not know of.
  @Test(arguments: [(0.5, 1.0), (4, 0.0), (0.05, 1.3)])
  func `rows take what was estimated, in memory and on the disk`(eventsPerHour: Double, skew: Double) throws {
    let layout = try layout()
    let keys = 5_000
    let population = KeyPopulation(count: keys, eventsPerHour: eventsPerHour, skew: skew)
    let estimate = try StateSample.estimate(layout, population)

    let folder = try TestFolder()
    var options = StoreOptions()
    options.memoryBudgetBytes = .max
    let store = try TaskStore(path: folder.path, options: options)
    defer { store.close() }
    let view = try store.namespace(for: layout).view
    var random = SplitMix64(seed: 11)
    // Twice the day that a row lives after its last event, ending now.
    let (now, span) = (1_600_000_000_000 as Int64, 52 * Self.hour)
    let lives = now - (layout.deletionHorizon(at: now) ?? 0)
    var events: [(time: Int64, key: Int)] = []
    for (key, rate) in population.rates(ofSample: keys).enumerated() {
      let count = Int((rate * Double(span) / Double(Self.hour)).rounded(.down))
      let extra = Double.random(in: 0..<1, using: &random) < (rate * Double(span) / Double(Self.hour) - Double(count))
      for _ in 0..<count + (extra ? 1 : 0) { events.append((now - Int64.random(in: 0..<span, using: &random), key)) }
    }
    let live = Set(events.filter { $0.time >= now - lives }.map(\.key))
    events = events.filter { live.contains($0.key) }.sorted { $0 < $1 }
    var start = 0
    while start < events.count {
      var batch = TestBatch()
      for (offset, event) in events[start..<min(start + 4_096, events.count)].enumerated() {
        let key = EntityKey(bytes: Array("customer-\(event.key)".utf8))
        batch.append(
          key, Double(Int.random(in: 1..<90_000, using: &random)) / 3, offset: Int64(start + offset), time: event.time,
          watermark: event.time)
      }
      try store.apply(view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
      start += 4_096
    }
    let memory = Double(store.memoryBytes)
    try store.checkpoint(meta: [])
    try store.database.flush()
    try store.database.compact(from: [], to: [0xff, 0xff, 0xff, 0xff, 0xff], in: StoreFamily.rows)
    let disk = Double(try store.database.statistics().fileBytes)

    func ratio(_ said: Int, _ found: Double) -> Double { Double(said) / found }
    #expect((0.85...1.15).contains(ratio(estimate.rows, Double(live.count))), "\(estimate), \(live.count) rows")
    #expect((0.8...1.2).contains(ratio(estimate.memoryBytes, memory)), "\(estimate), \(memory) in memory")
    #expect((0.8...1.2).contains(ratio(estimate.diskBytes, disk)), "\(estimate), \(disk) on the disk")
  }

  @Test func `rates add up to the mean and fall as Zipf says`() {
    for skew in [0, 0.7, 1, 1.5] {
      let population = KeyPopulation(count: 3_000, eventsPerHour: 2, skew: skew)
      let rates = population.rates(ofSample: 3_000)
      #expect(abs(rates.reduce(0, +) / 3_000 - 2) < 0.3, "skew \(skew)")
      #expect(abs(rates[99] / rates[999] - pow(999.5 / 99.5, skew)) < 1e-9)
    }
    #expect(KeyPopulation(count: 1, eventsPerHour: 5, skew: 1).rates(ofSample: 64) == [5])
  }

  @Test func `extremes are estimated too, and soon`() throws {
    let layout = try layout()
    for (count, rate) in [(1, 0.001), (1_000_000_000, 1_000), (10, 1e9)] as [(Int, Double)] {
      let estimate = try StateSample.estimate(layout, KeyPopulation(count: count, eventsPerHour: rate, skew: 1))
      #expect(estimate.rows <= count && estimate.diskBytes <= estimate.memoryBytes)
    }
  }

  @Test func `ids take what was estimated`() throws {
    let estimate = try StateSample.estimate(idsWithinMilliseconds: Self.hour, eventsPerHour: 50_000)
    #expect(estimate.rows == 50_000)
    // A 20-byte key, an 8-byte time, 10 bits of a filter, and what a block needs.
    #expect((28 * 50_000...40 * 50_000).contains(estimate.diskBytes))
    #expect(estimate.memoryBytes >= 24 * 50_000)
  }
}
