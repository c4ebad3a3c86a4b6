import Columns
import Core
import Expressions
import Features
import TestSupport
import Testing

@testable import OfflineStore

@Suite struct PointInTimeTests {
  private struct Event {
    var key: Int64
    var amount: Double
    var stamp: Stamp
  }

  private struct Stamp {
    var timeMilliseconds: Int64
    var knownMilliseconds: Int64
    /// Of the partition, with the event.
    var watermark: Int64
    var position: EventPosition

    var countsFrom: Int64 { max(timeMilliseconds, knownMilliseconds) }
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
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let view = try Self.view()
    for _ in 0..<200 {
      var watermark = Int64.min
      let events = (0..<Int64(random.next() % 80)).map { offset in
        let time = Int64(random.next() % 7_200_000)
        let delay = [0, 0, 5, 40_000, 900_000, -30_000][Int(random.next() % 6)]
        watermark = max(watermark, min(time, time + Int64(delay)))
        return Event(
          key: Int64(random.next() % 3), amount: Double(random.next() % 50) / 8,
          stamp: Stamp(
            timeMilliseconds: time, knownMilliseconds: time + Int64(delay), watermark: watermark,
            position: EventPosition(partition: Int32(random.next() % 2), offset: offset)))
      }
      let labels = (0..<Int(random.next() % 60)).map { _ in
        (key: Int64(random.next() % 4), time: Int64(random.next() % 9_000_000))
      }
      let found = Self.join(view, events, labels.map { ($0.key, $0.time, nil) })
      for (row, label) in labels.enumerated() {
        let counted = events.filter { $0.key == label.key && $0.stamp.countsFrom <= label.time }
        #expect(found[row] == Self.naive(view, counted, at: label.time), "seed \(seed)")
      }
    }
  }

  /// Labels that name a record: its partition up to it, whatever the times; other partitions as known at the time.
  @Test func `A label that names a record sees its partition up to it`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let view = try Self.view()
    for _ in 0..<200 {
      let partitions = Int32(1 + random.next() % 2)
      let events = (0..<Int64(random.next() % 60)).map { offset in
        let time = Int64(random.next() % 7_200_000)
        return Event(
          key: Int64(random.next() % 3), amount: Double(random.next() % 50) / 8,
          stamp: Stamp(
            timeMilliseconds: time, knownMilliseconds: time + [0, 5, 900_000][Int(random.next() % 3)], watermark: .min,
            position: EventPosition(partition: Int32(random.next() % 2) % partitions, offset: offset)))
      }
      let labels = (0..<Int(random.next() % 40)).map { _ in
        (
          key: Int64(random.next() % 4), time: Int64(random.next() % 9_000_000),
          position: EventPosition?.some(
            EventPosition(partition: Int32(random.next() % 2), offset: Int64(random.next() % 60)))
        )
      }
      let found = Self.join(view, events, labels)
      for (row, label) in labels.enumerated() {
        let position = try #require(label.position)
        let counted = events.filter { event in
          event.key == label.key
            && (event.stamp.position.partition == position.partition
              ? event.stamp.position.offset <= position.offset : event.stamp.countsFrom <= label.time)
        }
        #expect(found[row] == Self.naive(view, counted, at: label.time), "seed \(seed)")
      }
    }
  }

  /// - Returns: of each label its features; nulls of a label without a result.
  private static func join(
    _ view: PointInTimeView, _ events: [Event], _ labels: [(key: Int64, time: Int64, position: EventPosition?)]
  ) -> [[Value]] {
    var asked = ColumnBatch(PointInTimeRows.labelTypes(view))
    for (row, label) in labels.enumerated() {
      asked.columns[0].append(Int64(row))
      asked.columns[1].append(label.time)
      if let position = label.position {
        asked.columns[2].append(Int64(position.partition))
        asked.columns[3].append(position.offset)
      } else {
        asked.columns[2].appendNull()
        asked.columns[3].appendNull()
      }
      asked.columns[4].append(label.key)
      asked.rowCount += 1
    }
    var happened = ColumnBatch(PointInTimeRows.eventTypes(view))
    for event in events {
      happened.columns[0].append(event.stamp.countsFrom)
      happened.columns[1].append(event.stamp.timeMilliseconds)
      happened.columns[2].append(event.stamp.watermark)
      happened.columns[3].append(Int64(event.stamp.position.partition))
      happened.columns[4].append(event.stamp.position.offset)
      happened.columns[5].append(event.key)
      happened.columns[6].append(event.amount)
      happened.rowCount += 1
    }
    var join = PointInTimeJoin(view, labels: asked, events: happened)
    let results = join.read()
    var found = labels.map { _ in view.features.map { _ in Value.null } }
    for row in 0..<results.rowCount {
      found[Int(results.columns[0].integers[row])] = results.columns.dropFirst().map { $0.value(row) }
    }
    return found
  }

  /// Events in the order of the log, into a row that never forgets.
  private static func naive(_ view: PointInTimeView, _ counted: [Event], at time: Int64) -> [Value] {
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
