import Columns
import Core
import Testing

@testable import Features

@Suite struct SketchTests {
  private func layout(_ function: AggregateFunction, _ type: ColumnType = .double) throws -> ViewLayout {
    try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [.init(type: type, canonicalText: "x")],
        features: [.init(name: "f", function: function, argument: 0, window: .lifetime)]))
  }

  private func row(_ layout: ViewLayout, _ values: [Value]) -> FeatureRow {
    layout.row(
      of: values.enumerated().map { index, value in
        TestEvent(time: 0, position: .init(partition: 0, offset: Int64(index)), values: [value])
      })
  }

  @Test func `a bin stands for all of its values within one per cent`() {
    var random = SplitMix64(seed: 1)
    var previous = 0
    for step in 0..<20_000 {
      // Normal numbers of every magnitude, in rising order.
      let value = Double(
        sign: .plus, exponent: -1_022 + step * 2_045 / 20_000, significand: Double.random(in: 1..<2, using: &random))
      let key = QuantileSketch.key(value)
      let middle = QuantileSketch.value(key)
      #expect(
        (middle - value).magnitude <= value * QuantileSketch.relativeAccuracy, "\(value) in bin \(key) of \(middle)")
      #expect(QuantileSketch.value(QuantileSketch.key(-value)) == -middle)
      if value.significand == 1 { #expect(key > previous) }
      previous = key
    }
    for value in [0.0, .infinity, -.infinity] { #expect(QuantileSketch.value(QuantileSketch.key(value)) == value) }
    #expect(QuantileSketch.key(.nan) > QuantileSketch.key(.infinity))
    #expect(QuantileSketch.key(.greatestFiniteMagnitude) < QuantileSketch.key(.infinity))
    #expect(QuantileSketch.key(.leastNonzeroMagnitude) > QuantileSketch.key(0))
    #expect(QuantileSketch.key(.nan) < 1 << 18)
  }

  @Test func `keys are in the order of values`() {
    var random = SplitMix64(seed: 2)
    let values = (0..<5_000).map { _ in Scenario.number(&random, true) }.sorted()
    for (lower, upper) in zip(values, values.dropFirst()) {
      #expect(QuantileSketch.key(lower) <= QuantileSketch.key(upper), "\(lower) and \(upper)")
    }
  }

  @Test(arguments: [100, 511, 512, 5_000, 100_000])
  func `distinct counts are exact up to the limit and close beyond`(count: Int) throws {
    let layout = try layout(.countDistinct, .integer)
    let values = (0..<count * 2).map { Value.integer(Int64($0 % count)) }
    guard case .integer(let found) = layout.values(row(layout, values), at: 0)[0].value else {
      return #expect(Bool(false))
    }
    if count <= DistinctSet.exactLimit {
      #expect(found == Int64(count))
    } else {
      #expect((Double(found) / Double(count) - 1).magnitude < 0.05, "\(found)")
    }
  }

  @Test func `the form of a distinct set is a function of the set`() throws {
    let layout = try layout(.countDistinct, .integer)
    for count in [400, 511, 512, 900] {
      var random = SplitMix64(seed: UInt64(count))
      let values = (0..<count).map { Value.integer(Int64($0) &* 7_919) }
      let expected = row(layout, values)
      var merged = FeatureRow(layout)
      var rest = values.shuffled(using: &random)[...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(Int.random(in: 1...600, using: &random)))
        rest = rest.dropFirst(part.count)
        layout.merge(row(layout, part + part), into: &merged, watermark: .min)
      }
      let slot = expected.regionStart(0) + layout.slots[0].offset
      let other = merged.regionStart(0) + layout.slots[0].offset
      let (one, two) = (expected.blockBytes(expected.load(slot)), merged.blockBytes(merged.load(other)))
      #expect(ByteOrder.compare(one, two) == 0, "\(count)")
    }
  }

  @Test func `frequent values are found beyond the exact limit, and the answer says so`() throws {
    let layout = try layout(.topK(3), .string)
    var random = SplitMix64(seed: 5)
    var values: [Value] = (0..<20_000).map { _ in .string("rare \(Int.random(in: 0..<4_000, using: &random))") }
    for (index, count) in [2_000, 1_500, 1_000].enumerated() {
      values += [Value](repeating: .string("frequent \(index)"), count: count)
    }
    values.shuffle(using: &random)
    let whole = row(layout, values)
    let found = layout.values(whole, at: 0)[0]
    #expect(found.flags == .approximate)
    #expect(found.value == .list([.string("frequent 0"), .string("frequent 1"), .string("frequent 2")]))
    // The same to the bit, however it came together.
    var merged = FeatureRow(layout)
    for start in stride(from: 0, to: values.count, by: 3_000) {
      let part = Array(values[start..<min(start + 3_000, values.count)])
      let events = part.enumerated().map { index, value in
        TestEvent(time: 0, position: .init(partition: 0, offset: Int64(start + index)), values: [value])
      }
      layout.merge(layout.row(of: events.shuffled(using: &random)), into: &merged, watermark: .min)
    }
    #expect(layout.values(merged, at: 0)[0] == found)
  }

  @Test func `values up to the exact limit are counted exactly`() throws {
    let layout = try layout(.topK(2), .integer)
    let values = (0..<256).flatMap { [Value](repeating: .integer(Int64($0)), count: $0 == 77 ? 9 : $0 == 3 ? 5 : 4) }
    let found = layout.values(row(layout, values), at: 0)[0]
    #expect(found.flags == [] && found.value == .list([.integer(77), .integer(3)]))
  }

  @Test func `decay halves exactly and falls smoothly`() {
    #expect(DecayedSum.weight(age: 0, halfLife: 1_000) == 1)
    #expect(DecayedSum.weight(age: 3_000, halfLife: 1_000) == 0.125)
    #expect(DecayedSum.weight(age: 2_000_000, halfLife: 1_000) == 0)
    for age in 0..<2_000 as Range<Int64> {
      let expected = DecayOracle.weight(Double(age) / 700)
      #expect((DecayedSum.weight(age: age, halfLife: 700) - expected).magnitude < 1e-14 * expected)
    }
  }
}
