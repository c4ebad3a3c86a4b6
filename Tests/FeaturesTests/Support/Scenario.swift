import Columns
import Core

@testable import Features

/// An event of a test: the inputs of the view, and where it stands.
struct TestEvent {
  var time: Int64
  var position: EventPosition
  var values: [Value]
  /// Before the event.
  var watermark = Int64.min

  var order: EventOrder { EventOrder(time: time, partition: position.partition, offset: position.offset) }
}

/// Views and events for the tests that compare with the oracle.
enum Scenario {
  static let second: Int64 = 1_000
  static let minute: Int64 = 60_000
  static let hour: Int64 = 3_600_000

  static let inputs: [ViewInput] = [
    ViewInput(type: .double, canonicalText: "amount"), ViewInput(type: .integer, canonicalText: "items"),
    ViewInput(type: .string, canonicalText: "country"), ViewInput(type: .boolean, canonicalText: "is_web"),
    ViewInput(type: .decimal(scale: 2), canonicalText: "price"),
  ]

  /// Which functions take an input.
  static func functions(_ input: Int?) -> [AggregateFunction] {
    guard let input else { return [.count] }
    let any: [AggregateFunction] = [
      .count, .minimum, .maximum, .first, .last, .lastK(3), .lastK(5), .countDistinct, .topK(2),
    ]
    let numbers: [AggregateFunction] = [
      .sum, .mean, .variance, .standardDeviation, .percentile(0.5), .percentile(0.9),
    ]
    return inputs[input].type == .string ? any : any + numbers
  }

  static let windows: [Window] = [
    .sliding(length: minute, hop: 5 * second), .sliding(length: 10 * minute, hop: minute),
    .sliding(length: 4 * minute, hop: 30 * second), .tumbling(length: 2 * minute), .lifetime,
    .session(gap: 40 * second), .lastEvents(4), .lastEvents(9),
  ]

  /// Every function over every input and window, with and without a filter.
  static func everything(lateness: Int64 = 2 * minute, windows: [Window] = windows) -> ViewDefinition {
    var features: [FeatureDefinition] = []
    for window in windows {
      for input in [nil] + inputs.indices.map(Optional.some) {
        for (index, function) in functions(input).enumerated() {
          features.append(
            FeatureDefinition(
              name: "f\(features.count)", function: function, argument: input, filter: index % 3 == 0 ? 3 : nil,
              window: window))
        }
      }
      let hasTiles = window.hop != nil
      if hasTiles {
        features.append(.init(name: "f\(features.count)", function: .rate(perMilliseconds: 60_000), window: window))
      }
      if hasTiles || window == .lastEvents(4) {
        let ewma = AggregateFunction.ewma(halfLifeMilliseconds: 20 * second)
        features.append(.init(name: "f\(features.count)", function: ewma, argument: 0, window: window))
      }
    }
    return ViewDefinition(name: "v", inputs: inputs, features: features, latenessMilliseconds: lateness)
  }

  /// Random events in arrival order, some late, some far behind, with the watermark that each meets.
  static func events(_ count: Int, _ random: inout SplitMix64, spread: Int64 = 90 * second, extremes: Bool)
    -> [TestEvent]
  {
    var now: Int64 = 1_700_000_000_000 - Int64.random(in: 0..<hour, using: &random)
    var watermark = Int64.min
    var events: [TestEvent] = []
    for offset in 0..<count {
      if Int.random(in: 0..<12, using: &random) == 0 { now += Int64.random(in: 0...4 * minute, using: &random) }
      now += Int64.random(in: 0...4 * second, using: &random)
      let isLate = Int.random(in: 0..<4, using: &random) == 0
      var time = isLate ? now - Int64.random(in: 0...spread, using: &random) : now
      // Equal times are frequent, so that partition and offset decide.
      if Int.random(in: 0..<5, using: &random) == 0, let last = events.last { time = last.time }
      let position = EventPosition(partition: Int32.random(in: 0..<3, using: &random), offset: Int64(offset))
      events.append(TestEvent(time: time, position: position, values: values(&random, extremes), watermark: watermark))
      watermark = max(watermark, time)
    }
    return events
  }

  private static func values(_ random: inout SplitMix64, _ extremes: Bool) -> [Value] {
    let countries = ["DE", "PL", "", "żółć", "a country with a name that is quite long", "US"]
    let price = Int128(Int64.random(in: -9_999...9_999, using: &random)) * (extremes ? Int128(Int64.max) * 100 : 1)
    let items =
      extremes && Bool.random(using: &random)
      ? Int64.random(in: .min ... .max, using: &random) : Int64.random(in: -3...9, using: &random)
    let all: [Value] = [
      .double(number(&random, extremes)), .integer(items),
      .string(countries[Int.random(in: 0..<countries.count, using: &random)]), .boolean(Bool.random(using: &random)),
      .decimal(unscaled: price, scale: 2),
    ]
    return all.map { Int.random(in: 0..<7, using: &random) == 0 ? .null : $0 }
  }

  static func number(_ random: inout SplitMix64, _ extremes: Bool) -> Double {
    guard extremes else { return Double(Int.random(in: -5_000...100_000, using: &random)) / 100 }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return Bool.random(using: &random) ? .greatestFiniteMagnitude : -.greatestFiniteMagnitude
    case 1: return Bool.random(using: &random) ? .leastNonzeroMagnitude : -.leastNonzeroMagnitude
    case 2: return Bool.random(using: &random) ? 0.0 : -0.0
    case 3: return 9_007_199_254_740_991
    case 4: return Double(Int.random(in: -9...9, using: &random)) * 1e16
    case 5, 6: return Double.random(in: -1...1, using: &random)
    default:
      let bits = random.next() & ~(0x7ff << 52) | UInt64.random(in: 0..<0x7ff, using: &random) << 52
      return Double(bitPattern: bits)
    }
  }

  static func columns(_ events: [TestEvent], _ inputs: [ViewInput] = inputs) -> [Column] {
    inputs.indices.map { input in
      var column = Column(inputs[input].type)
      for event in events where !column.append(event.values[input]) { column.appendNull() }
      return column
    }
  }
}

extension ViewLayout {
  /// A row that events were applied to in their order.
  func row(of events: [TestEvent], watermark: Int64? = nil) -> FeatureRow {
    var row = FeatureRow(self)
    apply(events, to: &row, watermark: watermark)
    return row
  }

  func apply(_ events: [TestEvent], to row: inout FeatureRow, watermark: Int64? = nil) {
    var block = EventBlock(self)
    block.load(Scenario.columns(events, definition.inputs), rowCount: events.count)
    for (index, event) in events.enumerated() {
      apply(
        &row, events: block, index: index, eventTime: event.time, position: event.position,
        watermark: watermark ?? event.watermark)
    }
  }

  func values(_ row: borrowing FeatureRow, at time: Int64, watermark: Int64 = .min) -> [FeatureValue] {
    var values: [FeatureValue] = []
    read(row, at: time, watermark: watermark, features: Array(featureTypes.indices), into: &values)
    return values
  }
}

extension FeatureRow {
  var byteArray: [UInt8] { unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
}

extension Value {
  /// Equal to the bit: -0 is not 0, and NaN is NaN.
  func isIdentical(to other: Value) -> Bool {
    switch (self, other) {
    case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
    case (.list(let left), .list(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.isIdentical(to: $1) }
    default: self == other
    }
  }
}
