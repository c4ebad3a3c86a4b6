import Columns
import Core
import Features
import OnlineStore
import Testing

@testable import Runtime

@Suite struct DeltaTableTests {
  /// Five months of a key within one commit, as a replay brings them: over a megabyte of tiles.
  @Test func `a key's deltas stay below what a broker takes, and add up to the same row`() throws {
    let step: Int64 = 300_000
    let eventCount = 40_000
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [ViewInput(type: .double, canonicalText: "x")],
        features: [
          FeatureDefinition(name: "n", function: .count, window: .sliding(length: 3_600_000, hop: step)),
          FeatureDefinition(name: "s", function: .sum, argument: 0, window: .sliding(length: 3_600_000, hop: step)),
        ]))
    var keys = EntityKeys()
    var amounts = Column(.double)
    var headers = EventHeaders(partition: 0)
    for index in 0..<eventCount {
      keys.append(try #require(EntityKey.encode([.string(index % 2 == 0 ? "even" : "odd")])))
      amounts.append(Double(index))
      let time = Int64(index) * step
      headers.append(offset: Int64(index), eventTimeMilliseconds: time, watermarkMilliseconds: time)
    }
    let table = DeltaTable(layout)
    table.apply(keys: keys, inputs: [amounts], rows: Array(0..<eventCount), headers: headers)

    let end = Int64(eventCount - 1) * step
    let merged = ["even": MergedRow(layout), "odd": MergedRow(layout)]
    var deltaCount = 0
    var largest = 0
    try table.drain { entry throws(HeadraceError) in
      deltaCount += 1
      largest = max(largest, entry.row.byteCount)
      merged[String(decoding: entry.key, as: UTF8.self)]?.merge(entry.row, layout, watermark: end)
    }
    #expect(deltaCount > 4 && largest < 1_000_000, "\(deltaCount) deltas, the largest of \(largest) B")
    // The window of an hour at the end, in steps of five minutes: thirteen events, every second one of a key.
    for (name, parity) in [("even", 0), ("odd", 1)] {
      let expected = (0..<eventCount).filter { $0 % 2 == parity && Int64($0) * step >= end - 3_600_000 }
      let values = merged[name]?.read(layout, at: end)
      #expect(values == [.integer(Int64(expected.count)), .double(Double(expected.reduce(0, +)))], "\(name)")
    }
  }
}

/// A row that a dictionary can hold.
private final class MergedRow {
  private var row: FeatureRow

  init(_ layout: ViewLayout) { row = FeatureRow(layout) }

  func merge(_ delta: borrowing FeatureRow, _ layout: ViewLayout, watermark: Int64) {
    layout.merge(delta, into: &row, watermark: watermark)
  }

  func read(_ layout: ViewLayout, at time: Int64) -> [Value] {
    var values: [FeatureValue] = []
    layout.read(row, at: time, watermark: time, features: [0, 1], into: &values)
    return values.map(\.value)
  }
}
