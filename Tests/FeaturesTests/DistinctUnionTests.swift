import Columns
import Core
import Testing

@testable import Features

/// What is kept of unions between two reads says what merging all sets anew says, whether it is known which event came
/// in between or not.
@Suite struct DistinctUnionTests {
  /// A row cannot be copied, so an array cannot hold it.
  private final class Holder {
    var row: FeatureRow

    init(_ layout: ViewLayout) { row = FeatureRow(layout) }
  }

  private static let rowCount = 6

  private static func layout() throws -> ViewLayout {
    let windows: [Window] = [
      .sliding(length: Scenario.hour, hop: 5 * Scenario.minute),
      .sliding(length: 12 * Scenario.hour, hop: Scenario.hour),
      .tumbling(length: Scenario.hour), .sliding(length: 40 * Scenario.minute, hop: Scenario.minute),
    ]
    var features: [FeatureDefinition] = []
    for window in windows {
      for (argument, filter) in [(0, nil), (0, 1), (2, nil)] as [(Int, Int?)] {
        features.append(
          .init(
            name: "f\(features.count)", function: .countDistinct, argument: argument, filter: filter, window: window))
      }
    }
    return try ViewLayout(
      ViewDefinition(
        name: "v",
        inputs: [
          .init(type: .integer, canonicalText: "merchant"), .init(type: .boolean, canonicalText: "web"),
          .init(type: .string, canonicalText: "country"),
        ], features: features, latenessMilliseconds: 20 * Scenario.minute))
  }

  private static func event(
    _ offset: Int, _ now: Int64, _ watermark: Int64, _ pool: Int, _ random: inout SplitMix64
  ) -> TestEvent {
    let isLate = Int.random(in: 0..<8, using: &random) == 0
    let time = isLate ? now - Int64.random(in: 0...20 * Scenario.minute, using: &random) : now
    // Small numbers are many, large ones few.
    let merchant = Int64(
      Double(pool) * Double.random(in: 0..<1, using: &random) * Double.random(in: 0..<1, using: &random))
    let values: [Value] = [
      Int.random(in: 0..<20, using: &random) == 0 ? .null : .integer(merchant), .boolean(.random(using: &random)),
      .string("c\(merchant % 90)"),
    ]
    return TestEvent(
      time: time, position: .init(partition: 0, offset: Int64(offset)), values: values, watermark: watermark)
  }

  @Test(arguments: UInt64(1)...6)
  func `a union that is kept says what a new one says`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let layout = try Self.layout()
    let all = Array(layout.features.indices)
    let plan = layout.gatherPlan(of: all)
    var unions = DistinctUnions()
    let rows = (0..<Self.rowCount).map { _ in Holder(layout) }
    let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: all.count)
    defer { unsafe numbers.deallocate() }
    var (now, watermark) = (Int64(1_700_000_000_000), Int64.min)
    for offset in 0..<6_000 {
      now += Int64.random(in: 0...12 * Scenario.second, using: &random)
      if Int.random(in: 0..<1_500, using: &random) == 0 { now += 5 * Scenario.hour }
      // Rows of few, some hundreds and thousands of merchants.
      let index = Int.random(in: 0..<Self.rowCount, using: &random)
      let event = Self.event(offset, now, watermark, 10 << (index * 2), &random)
      switch Int.random(in: 0..<400, using: &random) {
      case 0:
        // Driven out, and another one comes in its place.
        rows[index].row = FeatureRow(layout)
        unions.forget(row: index)
      case 1: layout.merge(layout.row(of: [event]), into: &rows[index].row, watermark: watermark)
      case 2..<100: layout.apply([event], to: &rows[index].row)
      default:
        var block = EventBlock(layout)
        block.load(Scenario.columns([event], layout.definition.inputs), rowCount: 1)
        layout.apply(
          &rows[index].row, events: block, index: 0, eventTime: event.time, position: event.position,
          watermark: event.watermark)
        layout.noteAdditions(of: block, 0, eventTime: event.time, plan, &unions)
      }
      // Now and then nobody looks: the next look finds more than one event that is new.
      guard Int.random(in: 0..<10, using: &random) > 0 else {
        unions.forgetAdditions()
        continue
      }
      watermark = max(watermark, event.time)
      unions.select(row: index)
      unsafe layout.gather(rows[index].row, at: event.time, watermark: watermark, plan, &unions, into: numbers)
      unions.forgetAdditions()
      let expected = layout.values(rows[index].row, at: event.time, watermark: watermark).map { $0.value.number }
      for feature in all where unsafe !GatherPlan.isNotRetained(numbers[feature]) {
        // Nothing is found of a row without events.
        let (found, wanted) = (unsafe numbers[feature], expected[feature] ?? .nan)
        try #require(
          found.bitPattern == wanted.bitPattern,
          "\(found), expected \(wanted): feature \(feature) of row \(index), event \(offset), seed \(seed)")
      }
    }
  }
}
