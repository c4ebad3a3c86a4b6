import Columns
import Core
import Expressions
import Features
import Testing

@testable import OfflineStore

@Suite struct PointInTimeTests {
  private struct Event {
    var key: Int64
    var amount: Double
    var stamp: EventStamp
  }

  private static func view() throws -> PointInTimeView {
    let input = ViewInput(type: .double, canonicalText: "amount")
    let features = [
      FeatureDefinition(name: "count", function: .count, window: .sliding(length: 60_000)),
      FeatureDefinition(name: "sum", function: .sum, argument: 0, window: .sliding(length: 600_000)),
      FeatureDefinition(name: "mean", function: .mean, argument: 0, window: .sliding(length: 3_600_000)),
      FeatureDefinition(name: "last", function: .last, argument: 0, window: .sliding(length: 3_600_000)),
      FeatureDefinition(name: "distinct", function: .countDistinct, argument: 0, window: .sliding(length: 600_000)),
      FeatureDefinition(name: "all", function: .count, window: .lifetime),
    ]
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [input], features: features, latenessMilliseconds: 60_000, ttlMilliseconds: 1_800_000))
    return PointInTimeView(
      name: "v", scope: [.integer, .double], derived: [], filter: nil,
      inputs: [
        try ParsedExpression("amount").typed(in: [
          .init(name: "key", type: .integer), .init(name: "amount", type: .double),
        ])
      ],
      keyColumns: [0], layout: layout,
      features: features.indices.map { ($0, features[$0].name, layout.featureTypes[$0].type) })
  }

  /// Random histories, late, out of order and known late; each label against a row that is made for it alone.
  @Test func `A label sees exactly the events that had happened and were known`() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix64(seed: seed)
    let view = try Self.view()
    for _ in 0..<200 {
      let events = (0..<Int64(random.next() % 80)).map { offset in
        let time = Int64(random.next() % 7_200_000)
        let delay = [0, 0, 5, 40_000, 900_000, -30_000][Int(random.next() % 6)]
        return Event(
          key: Int64(random.next() % 3), amount: Double(random.next() % 50) / 8,
          stamp: EventStamp(
            timeMilliseconds: time, knownMilliseconds: time + Int64(delay),
            position: EventPosition(partition: Int32(random.next() % 2), offset: offset)))
      }
      let labels = (0..<Int(random.next() % 60)).map { _ in
        (key: Int64(random.next() % 4), time: Int64(random.next() % 9_000_000))
      }
      let partCount = 1 + Int(random.next() % 3)
      let columns = Self.join(view, events, labels, partCount: partCount)
      for (row, label) in labels.enumerated() {
        let expected = Self.naive(view, events.filter { $0.key == label.key }, at: label.time)
        #expect(columns.map { $0.value(row) } == expected, "seed \(seed)")
      }
    }
  }

  private static func join(
    _ view: PointInTimeView, _ events: [Event], _ labels: [(key: Int64, time: Int64)], partCount: Int
  ) -> [FeatureColumn] {
    var keys = Column(.integer)
    for label in labels { keys.append(label.key) }
    var join = PointInTimeJoin(view)
    join.addLabels([keys], keyColumns: [0], timesMilliseconds: labels.map(\.time))
    var columns = view.features.map { FeatureColumn(name: $0.name, type: $0.type, rowCount: labels.count) }
    for part in 0..<partCount {
      join.begin(part: part, of: partCount)
      var start = 0
      while start < events.count {
        let end = min(start + 7, events.count)
        var batch = ColumnBatch([.integer, .double])
        for event in events[start..<end] {
          batch.columns[0].append(event.key)
          batch.columns[1].append(event.amount)
        }
        join.addEvents(batch.columns, stamps: events[start..<end].map(\.stamp))
        start = end
      }
      join.read(into: &columns)
    }
    return columns
  }

  /// All events that count at the time, in the order of the log, into a row that never forgets.
  private static func naive(_ view: PointInTimeView, _ events: [Event], at time: Int64) -> [Value] {
    let counted = events.filter { max($0.stamp.timeMilliseconds, $0.stamp.knownMilliseconds) <= time }
    var inputs = Column(.double)
    for event in counted { inputs.append(event.amount) }
    var block = EventBlock(view.layout)
    block.load([inputs], rowCount: counted.count)
    var row = FeatureRow(view.layout)
    for (index, event) in counted.enumerated() {
      view.layout.apply(
        &row, events: block, index: index, eventTime: event.stamp.timeMilliseconds, position: event.stamp.position,
        watermark: .min)
    }
    var values: [FeatureValue] = []
    let positions = view.features.map(\.position)
    if counted.isEmpty {
      view.layout.readMissing(features: positions, into: &values)
    } else {
      view.layout.read(row, at: time, watermark: .min, features: positions, into: &values)
    }
    return values.map(\.value)
  }
}
