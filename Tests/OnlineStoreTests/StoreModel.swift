import Columns
import Core
import Features
import Rocks

@testable import OnlineStore

/// Views of the tests: what is counted and summed over short windows and for ever, and a list that makes rows grow.
enum TestViews {
  static let input = ViewInput(type: .double, canonicalText: "amount")

  static func layout(_ name: String = "v", isWider: Bool = false) throws -> ViewLayout {
    var features = [
      FeatureDefinition(name: "count_lifetime", function: .count, window: .lifetime),
      FeatureDefinition(name: "sum_lifetime", function: .sum, argument: 0, window: .lifetime),
      FeatureDefinition(name: "count_1min", function: .count, window: .sliding(length: 60_000)),
      FeatureDefinition(name: "mean_1h", function: .mean, argument: 0, window: .sliding(length: 3_600_000)),
    ]
    if isWider {
      features.append(
        FeatureDefinition(name: "max_1h", function: .maximum, argument: 0, window: .sliding(length: 3_600_000)))
    }
    return try ViewLayout(
      ViewDefinition(name: name, inputs: [input], features: features, latenessMilliseconds: 60_000))
  }

  static let all = [0, 1, 2, 3]
}

/// A batch of events as the worker has it.
struct TestBatch {
  var keys = EntityKeys()
  var amounts = Column(.double)
  var headers = EventHeaders(partition: 3)

  var rows: [Int] { Array(0..<headers.count) }

  mutating func append(_ key: EntityKey, _ amount: Double, offset: Int64, time: Int64, watermark: Int64) {
    keys.append(key)
    amounts.append(amount)
    headers.append(offset: offset, eventTimeMilliseconds: time, watermarkMilliseconds: watermark)
  }
}

/// What a store should hold: rows in a dictionary, changed by the same engine, one event after the other.
struct StoreModel {
  /// A row's bytes by key, for each view.
  var rows: [[EntityKey: [UInt8]]]
  let layouts: [ViewLayout]

  init(_ layouts: [ViewLayout]) {
    self.layouts = layouts
    rows = layouts.map { _ in [:] }
  }

  mutating func apply(_ batch: TestBatch, view: Int) throws {
    let layout = layouts[view]
    var events = EventBlock(layout)
    events.load([batch.amounts], rowCount: batch.keys.count)
    for row in batch.rows {
      let key = EntityKey(bytes: Array(batch.keys.text.bytes[batch.keys.text.range(row)]))
      var state: FeatureRow
      if let known = try self.row(view, key) { state = known } else { state = FeatureRow(layout) }
      layout.apply(
        &state, events: events, index: row, eventTime: batch.headers.eventTimesMilliseconds[row],
        position: EventPosition(partition: batch.headers.partition, offset: batch.headers.offsets[row]),
        watermark: batch.headers.watermarksMilliseconds[row])
      rows[view][key] = unsafe state.bytes.withUnsafeBytes { unsafe Array($0) }
    }
  }

  func row(_ view: Int, _ key: EntityKey) throws -> FeatureRow? {
    guard let bytes = rows[view][key] else { return nil }
    return try unsafe FeatureRow(copying: bytes.span.bytes, layouts[view])
  }

  func read(_ view: Int, _ key: EntityKey, at time: Int64, watermark: Int64) throws -> [FeatureValue] {
    var values: [FeatureValue] = []
    if let row = try row(view, key) {
      layouts[view].read(row, at: time, watermark: watermark, features: TestViews.all, into: &values)
    } else {
      layouts[view].readMissing(features: TestViews.all, into: &values)
    }
    return values
  }
}
