import Columns
import Core
import Testing

@testable import Features

/// Rows as bytes: stored, sent, and damaged.
@Suite struct RowBytesTests {
  @Test func `a row comes back from its bytes as it was`() throws {
    let layout = try ViewLayout(Scenario.everything())
    for seed in 1...4 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let events = Scenario.events(100, &random, extremes: seed % 2 == 0)
      var row = layout.row(of: events, watermark: .min)
      var copy = try FeatureRow(copying: row.bytes, layout)
      let more = Scenario.events(50, &random, extremes: false)
      layout.apply(more, to: &row, watermark: .min)
      layout.apply(more, to: &copy, watermark: .min)
      let compacted = layout.compacted(row)
      #expect(compacted.wastedBytes == 0 && compacted.byteCount <= row.byteCount)
      _ = try FeatureRow(copying: compacted.bytes, layout)
      let time = more.map(\.time).max() ?? 0
      let values = layout.values(row, at: time)
      for (one, two) in zip(values, layout.values(copy, at: time)) { #expect(one.value.isIdentical(to: two.value)) }
      for (one, two) in zip(values, layout.values(compacted, at: time)) {
        #expect(one.value.isIdentical(to: two.value))
      }
    }
  }

  @Test func `damaged bytes are refused or read as something, and never trap`() throws {
    let layout = try ViewLayout(Scenario.everything())
    var random = SplitMix64(seed: 99)
    let events = Scenario.events(60, &random, extremes: true)
    let row = layout.row(of: events, watermark: .min)
    let good = row.byteArray
    let time = events.map(\.time).max() ?? 0
    var refused = 0
    for _ in 0..<300 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        // The beginning, where offsets lie, more often than the rest.
        let reach = Bool.random(using: &random) ? min(200, bytes.count) : bytes.count
        bytes[Int.random(in: 0..<reach, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Int.random(in: 0..<10, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      do {
        var damaged = try unsafe FeatureRow(copying: bytes.span.bytes, layout)
        _ = layout.values(damaged, at: time)
        layout.apply(events, to: &damaged, watermark: .min)
        layout.expire(&damaged, watermark: time)
        var target = FeatureRow(layout)
        layout.merge(damaged, into: &target, watermark: .min)
        _ = layout.compacted(damaged)
        _ = layout.values(target, at: time)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 50)
  }

  @Test func `a row of another definition is refused`() throws {
    let layout = try ViewLayout(Scenario.everything())
    let other = try ViewLayout(Scenario.everything(lateness: 1))
    let row = FeatureRow(layout)
    #expect(throws: HeadraceError.self) { _ = try FeatureRow(copying: row.bytes, other) }
    #expect(throws: HeadraceError.self) { _ = try unsafe FeatureRow(copying: [UInt8]().span.bytes, layout) }
  }

  @Test func `rows stay within the estimate and do not grow with time`() throws {
    let window = Window.sliding(length: Scenario.hour)
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v", inputs: Scenario.inputs,
        features: [
          .init(name: "a", function: .count, window: window),
          .init(name: "b", function: .sum, argument: 0, window: window),
          .init(name: "c", function: .last, argument: 2, window: window),
          .init(name: "d", function: .countDistinct, argument: 1, window: window),
        ]))
    var random = SplitMix64(seed: 4)
    var row = FeatureRow(layout)
    var sizes: [Int] = []
    for round in 0..<30 {
      var events = Scenario.events(60, &random, extremes: false)
      for index in events.indices {
        events[index].time = Int64(round) * Scenario.hour + Int64(index) * Scenario.minute
        events[index].watermark = events[index].time
      }
      layout.apply(events, to: &row)
      sizes.append(row.byteCount)
    }
    let steady = sizes.dropFirst(4).max() ?? 0
    #expect(steady <= layout.stateBytesPerKey, "\(sizes), estimate \(layout.stateBytesPerKey)")
  }

  /// The format of rows on disk. When this fails, `FeatureRow.formatVersion` must change with it.
  @Test func `the bytes of a row are those of format 1`() throws {
    let window = Window.sliding(length: 60_000, hop: 5_000)
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v",
        inputs: [.init(type: .double, canonicalText: "amount"), .init(type: .string, canonicalText: "country")],
        features: [
          .init(name: "a", function: .count, window: window),
          .init(name: "b", function: .sum, argument: 0, window: window),
          .init(name: "c", function: .maximum, argument: 0, window: window),
          .init(name: "d", function: .last, argument: 1, window: window),
          .init(name: "e", function: .countDistinct, argument: 1, window: window),
          .init(name: "f", function: .percentile(0.5), argument: 0, window: window),
        ]))
    let events = [(1_000, 12.34, "DE"), (2_000, -1.0, "PL"), (7_000, 1e3, "żółć")].enumerated().map { index, event in
      TestEvent(
        time: Int64(event.0), position: .init(partition: 1, offset: Int64(index)),
        values: [.double(event.1), .string(event.2)])
    }
    let row = layout.row(of: events, watermark: .min)
    let bytes = row.byteArray.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    let found = stride(from: 0, to: bytes.count, by: 32).map { start in
      bytes[start..<min(start + 32, bytes.count)].joined(separator: " ")
    }.joined(separator: "\n")
    #expect(found == Self.golden)
  }

  static let golden = """
    01 00 01 00 7e 62 dd 97 58 1b 00 00 00 00 00 00 90 00 00 00 00 00 00 00 08 01 00 00 02 00 00 00
    02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 d7 a3 70 3d 0a 57 0b 00 00 00 00 00 00 00 21 00 00 00 00 00 00 00
    ae 47 e1 7a 14 ae 28 40 c8 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 d0 07 00 00 00 00 00 00
    01 00 00 00 00 00 00 00 01 00 00 00 a8 00 00 00 e8 00 00 00 00 00 00 00 08 00 00 00 08 00 00 00
    01 00 00 00 00 40 8b 6c 08 00 00 00 02 00 00 00 50 4c 00 00 00 00 00 00 08 00 00 00 08 00 00 00
    9a 16 52 2b fe b7 bb ab 18 00 00 00 10 00 00 00 01 00 00 00 00 40 00 23 01 00 00 00 00 40 8b 6c
    00 00 00 00 00 00 00 00 18 00 00 00 10 00 00 00 b9 48 df 42 1e 51 22 41 9a 16 52 2b fe b7 bb ab
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 d7 a3 70 3d 0a 57 0b 00 00 00 00 00 00 00 21 00 00 00 00 00 00 00
    ae 47 e1 7a 14 ae 28 40 c8 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 d0 07 00 00 00 00 00 00
    01 00 00 00 00 00 00 00 01 00 00 00 a8 00 00 00 e8 00 00 00 00 00 00 00 88 13 00 00 00 00 00 00
    01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    e8 03 00 00 00 00 00 00 21 00 00 00 00 00 00 00 00 00 00 00 00 40 8f 40 e8 01 00 00 00 00 00 00
    01 00 00 00 00 00 00 00 58 1b 00 00 00 00 00 00 02 00 00 00 00 00 00 00 01 00 00 00 f8 01 00 00
    08 02 00 00 00 00 00 00 08 00 00 00 08 00 00 00 01 00 00 00 00 c0 c2 6c 08 00 00 00 08 00 00 00
    c5 bc c3 b3 c5 82 c4 87 08 00 00 00 08 00 00 00 c5 7e 9a 12 1e b2 c0 28
    """
}
