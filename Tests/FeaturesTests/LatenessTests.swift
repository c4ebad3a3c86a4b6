import Columns
import Core
import Testing

@testable import Features

@Suite struct LatenessTests {
  private func layout(_ windows: [Window], lateness: Int64, ttl: Int64? = nil) throws -> ViewLayout {
    try ViewLayout(
      ViewDefinition(
        name: "v", inputs: Scenario.inputs,
        features: windows.map { .init(name: "n_\($0.nameSuffix)", function: .count, window: $0) },
        latenessMilliseconds: lateness, ttlMilliseconds: ttl))
  }

  private func event(_ time: Int64, _ offset: Int64 = 0) -> TestEvent {
    TestEvent(
      time: time, position: .init(partition: 0, offset: offset), values: [.null, .null, .null, .null, .null])
  }

  @Test func `the three rings are arithmetic on the watermark`() throws {
    let layout = try layout([.sliding(length: 60_000, hop: 10_000)], lateness: 25_000)
    // Oldest expected: 200,000 - 25,000 = 175,000; its window begins at 170,000 - 60,000.
    let watermark: Int64 = 200_000
    #expect(layout.ring(eventTime: 300_000, watermark: watermark) == .applied)
    #expect(layout.ring(eventTime: 175_000, watermark: watermark) == .applied)
    #expect(layout.ring(eventTime: 174_999, watermark: watermark) == .repaired)
    #expect(layout.ring(eventTime: 110_000, watermark: watermark) == .repaired)
    #expect(layout.ring(eventTime: 109_999, watermark: watermark) == .late)
    #expect(layout.ring(eventTime: -5, watermark: .min) == .applied)
    #expect(try self.layout([.lifetime], lateness: 0).ring(eventTime: 1, watermark: watermark) == .repaired)
    #expect(
      try self.layout([.session(gap: 90_000)], lateness: 0).ring(eventTime: 199_999, watermark: watermark) == .late)
  }

  @Test func `what is late changes nothing, and a tile counts exactly as long as its ring says`() throws {
    let layout = try layout(
      [.sliding(length: 60_000, hop: 10_000), .sliding(length: 600_000, hop: 60_000)], lateness: 25_000)
    var random = SplitMix64(seed: 7)
    for _ in 0..<2_000 {
      let watermark = Int64.random(in: -3_000_000...3_000_000, using: &random)
      let time = watermark - Int64.random(in: -40_000...800_000, using: &random)
      var row = FeatureRow(layout)
      layout.apply([event(time)], to: &row, watermark: watermark)
      let ring = layout.ring(eventTime: time, watermark: watermark)
      #expect((row.newestEventTimeMilliseconds == nil) == (ring == .late))
      #expect((row.cellCount(0) + row.cellCount(1) == 0) == (ring == .late))
      let kept = (row.cellCount(0), row.cellCount(1))
      layout.expire(&row, watermark: watermark)
      #expect((row.cellCount(0), row.cellCount(1)) == kept, "expired what had just been applied")
    }
  }

  @Test func `the horizon is the earliest time that can be read`() throws {
    let layout = try layout(
      [.sliding(length: 60_000, hop: 10_000), .sliding(length: 120_000, hop: 60_000), .tumbling(length: 30_000)],
      lateness: 25_000)
    var random = SplitMix64(seed: 3)
    let row = layout.row(of: [event(0)])
    for _ in 0..<500 {
      let watermark = Int64.random(in: -1_000_000...1_000_000, using: &random)
      for feature in layout.features.indices {
        let horizon = try #require(layout.horizon(of: [feature], watermark: watermark))
        #expect(horizon <= watermark - 25_000)
        var values: [FeatureValue] = []
        for (time, isReadable) in [(horizon, true), (horizon - 1, false)] {
          layout.read(row, at: time, watermark: watermark, features: [feature], into: &values)
          guard values[0].status == .present || values[0].flags.contains(.beforeHorizon) else { continue }
          #expect(values[0].flags.contains(.beforeHorizon) == !isReadable, "watermark \(watermark) at \(time)")
        }
      }
    }
  }

  @Test func `a read in the past says when its tile may hold newer events`() throws {
    let layout = try layout([.sliding(length: 60_000, hop: 10_000)], lateness: 600_000)
    let row = layout.row(of: [event(1_000), event(15_000), event(19_000)])
    let flags = [500, 9_999, 15_000, 19_000, 30_000].map { layout.values(row, at: $0)[0].flags }
    #expect(flags == [.tile, .tile, .tile, [], []])
    #expect(layout.values(row, at: 19_000)[0].value == .integer(3))
    #expect(layout.values(row, at: 9_999)[0].value == .integer(1))
  }

  @Test func `status follows ttl and retention, deleted yet or not`() throws {
    let hourly = Window.sliding(length: 60_000, hop: 10_000)
    let plain = try layout([hourly], lateness: 5_000)
    let row = plain.row(of: [event(0)])
    #expect(plain.values(row, at: 75_000)[0].status == .present)
    #expect(plain.values(row, at: 75_000)[0].value == .integer(0))
    #expect(plain.values(row, at: 75_001)[0] == .notFound)

    let short = try layout([hourly], lateness: 5_000, ttl: 20_000)
    let shortRow = short.row(of: [event(0)])
    #expect(short.values(shortRow, at: 20_000)[0].status == .present)
    let outside = short.values(shortRow, at: 20_001)[0]
    #expect(outside.status == .outsideMaxAge && outside.value == .null && outside.eventTimeMilliseconds == 0)
    #expect(short.values(shortRow, at: 75_001)[0].status == .notFound)

    let long = try layout([hourly], lateness: 5_000, ttl: 500_000)
    let longRow = long.row(of: [event(0)])
    #expect(long.values(longRow, at: 500_000)[0].value == .integer(0))
    #expect(long.values(longRow, at: 500_001)[0].status == .notFound)
    let isExpired = [505_000, 505_001].map { long.isExpired(longRow, watermark: $0) }
    #expect(isExpired == [false, true])

    let forever = try layout([.lifetime], lateness: 0)
    let foreverRow = forever.row(of: [event(0)])
    #expect(forever.values(foreverRow, at: .max)[0].value == .integer(1))
    let neverExpires = !forever.isExpired(foreverRow, watermark: .max)
    #expect(neverExpires)
    #expect(plain.values(FeatureRow(plain), at: 0)[0] == .notFound)
  }
}
