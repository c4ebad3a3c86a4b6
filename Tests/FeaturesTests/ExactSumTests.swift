import Columns
import Core
import Testing

@testable import Features

@Suite struct ExactSumTests {
  private func layout(_ functions: [AggregateFunction]) throws -> ViewLayout {
    try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [.init(type: .double, canonicalText: "x")],
        features: functions.map { .init(name: $0.keyword, function: $0, argument: 0, window: .lifetime) }))
  }

  private func events(_ numbers: [Double]) -> [TestEvent] {
    numbers.enumerated().map { index, number in
      TestEvent(
        time: Int64(index), position: .init(partition: 0, offset: Int64(index)), values: [.double(number)])
    }
  }

  private func results(_ functions: [AggregateFunction], _ numbers: [Double]) throws -> [Double?] {
    let layout = try layout(functions)
    let row = layout.row(of: events(numbers))
    return layout.values(row, at: Int64(numbers.count)).map(\.value.number)
  }

  @Test func `sums of any doubles are rounded once`() throws {
    let layout = try layout([.sum])
    for seed in 1...200 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let count = Int.random(in: 1...60, using: &random)
      let isExtreme = seed % 2 == 0
      var numbers = (0..<count).map { _ in Scenario.number(&random, isExtreme) }
      // Cancellation leaves what was far below.
      if seed % 3 == 0 { numbers += numbers.dropLast().map { -$0 } }
      var oracle = ExactSumOracle()
      for number in numbers { oracle.add(number) }
      let found = layout.values(layout.row(of: events(numbers)), at: 100)[0].value
      #expect(found.isIdentical(to: .double(oracle.rounded)), "seed \(seed): \(found), expected \(oracle.rounded)")
    }
  }

  @Test func `intermediate overflow leaves no trace, true overflow is infinite`() throws {
    let huge = Double.greatestFiniteMagnitude
    #expect(try results([.sum, .mean], [huge, huge, -huge]) == [huge, huge / 3])
    #expect(try results([.sum, .mean], [huge, huge]) == [.infinity, huge])
    #expect(try results([.sum, .mean], [-huge, -huge]) == [-.infinity, -huge])
    #expect(try results([.variance, .standardDeviation], [huge, -huge]) == [.infinity, huge * 2.0.squareRoot()])
    #expect(try results([.variance, .standardDeviation], [huge, huge]) == [0, 0])
  }

  @Test func `zeros and the least magnitudes`() throws {
    let least = Double.leastNonzeroMagnitude
    #expect(try results([.sum], [-0.0, -0.0])[0]?.sign == .plus)
    #expect(try results([.sum], [least, least]) == [least * 2])
    #expect(try results([.sum], [1, least, -1]) == [least])
    #expect(try results([.variance], [least, least * 2]) == [0])
  }

  @Test func `infinities and NaN in the input`() throws {
    #expect(try results([.sum, .mean], [1, .infinity]) == [.infinity, .infinity])
    #expect(try results([.sum], [-.infinity, 5]) == [-.infinity])
    #expect(try results([.sum], [.infinity, -.infinity])[0]?.isNaN == true)
    #expect(try results([.sum, .variance], [1, .nan]).allSatisfy { $0?.isNaN == true })
    #expect(try results([.minimum, .maximum], [.infinity, 2, .nan])[0] == 2)
    #expect(try results([.maximum], [.infinity, 2, .nan])[0]?.isNaN == true)
  }

  @Test func `variance does not cancel`() throws {
    #expect(try results([.variance], [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) == [30])
    #expect(try results([.variance], [1e16 + 2, 1e16 + 4, 1e16 + 6]) == [4])
    #expect(try results([.variance, .standardDeviation], [3]) == [nil, nil])
    #expect(try results([.variance], [0.1, 0.1, 0.1]) == [0])
  }

  @Test func `integers and decimals that do not fit are null`() throws {
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v",
        inputs: [.init(type: .integer, canonicalText: "i"), .init(type: .decimal(scale: 3), canonicalText: "d")],
        features: [
          .init(name: "a", function: .sum, argument: 0, window: .lifetime),
          .init(name: "b", function: .mean, argument: 0, window: .lifetime),
          .init(name: "c", function: .sum, argument: 1, window: .lifetime),
          .init(name: "d", function: .mean, argument: 1, window: .lifetime),
        ]))
    var row = FeatureRow(layout)
    let wide = Value.decimal(unscaled: .max, scale: 3)
    for offset in 0..<2 {
      let position = EventPosition(partition: 0, offset: Int64(offset))
      layout.apply([TestEvent(time: 0, position: position, values: [.integer(.max), wide])], to: &row)
    }
    let values = layout.values(row, at: 0).map(\.value)
    #expect(values == [.null, .double(9.223372036854775807e18), .null, .double(Double(Int128.max) / 1_000)])
    let negative = TestEvent(
      time: 0, position: .init(partition: 0, offset: 2), values: [.integer(-.max), .decimal(unscaled: -.max, scale: 3)])
    layout.apply([negative], to: &row)
    #expect(layout.values(row, at: 0).map(\.value)[0] == .integer(.max))
    #expect(layout.values(row, at: 0).map(\.value)[2] == wide)
  }

  @Test func `a typical slot never leaves its window`() throws {
    let layout = try layout([.sum, .variance])
    var random = SplitMix64(seed: 11)
    let row = layout.row(of: events((0..<10_000).map { _ in Scenario.number(&random, false) }))
    #expect(
      row.wastedBytes == 0 && row.byteCount == FeatureRow.headerBytes(regionCount: 1) + layout.regions[0].cellBytes)
  }
}
