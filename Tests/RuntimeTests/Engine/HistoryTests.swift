import Columns
import Core
import Delta
import Runtime
import Storage
import TestSupport
import Testing
import Topology

/// Views with a history: whatever happens to the engines on the way, each row is in the table once, and is what an
/// online read would have answered.
@Suite(.serialized) struct HistoryTests {
  private static let partitions: Int32 = 3
  private static let columns = ["n_1h", "n_6h", "total_1h", "total_6h", "largest_6h", "newest_6h"]

  private static func view(_ name: String, _ history: String, more: String = "") -> String {
    """
      \(name):
        source: payments
        entity: user
        history: \(history)
        features:
          n: count over 1h, 6h
          total: sum(amount) over 1h, 6h
          largest: max(amount) over 6h
          newest: last(amount) over 6h
    \(more)
    """
  }

  private static let byShop = Payments.byShop.replacing("entity: shop", with: "entity: shop\n    history: tiles")

  @Test func `Every row of a history comes once and is what a read answers`() async throws {
    let seed = TestSeed.next()
    try await Node.run { node in
      var random = SplitMix64(seed: seed)
      try await node.createTopic(partitions: Self.partitions)
      let plan = try Payments.plan(Self.view("by_event", "updates"), Self.view("by_tile", "tiles"), Self.byShop)
      let events = Payments.events(2_500, seed: random.next())
      let store = MemoryBlobStore()
      var start = 0
      for life in 0..<5 {
        let end = life == 4 ? events.count : min(start + Int(random.next() % 900), events.count)
        let batch = [1, 7, 60, 1_024][Int(random.next() % 4)]
        let engine = try await node.engine(plan) { configuration in
          configuration.tableStore = store
          configuration.tableFreshnessMilliseconds = 50
          configuration.batchRecordsMaximum = batch
          configuration.checkpointIntervalMilliseconds = 100
        }
        try await node.publish(events[start..<end], partitions: Self.partitions)
        start = end
        if life == 4 || random.next() % 2 == 0 {
          let ends = try await node.ends("payments", partitions: Self.partitions)
          try await eventually("everything is applied") { Engine.hasApplied([engine], "payments", ends) }
        }
        if life == 4 { try await Self.expectShops(store, NaivePayments(EngineTests.log(events), plan: plan), seed) }
        if life == 4 || random.next() % 3 == 0 { await engine.drain() } else { await engine.abandon() }
      }
      let naive = NaivePayments(EngineTests.log(events), plan: plan)
      #expect(naive.counts.repaired > 0 && naive.counts.deduplicated > 0 && naive.counts.late > 0, "seed \(seed)")
      for (view, history) in [("by_event", ViewHistory.updates), ("by_tile", .tiles)] {
        try Self.compare(try Self.rows(view, store), NaiveHistory(naive, history).rows, "\(view), seed \(seed)")
      }
      let shops = try Self.rows("by_shop", store, key: "shop", columns: ["n_1h"])
      #expect(Set(shops.map { "\($0.place.user) \($0.place.time) \($0.place.revision)" }).count == shops.count)
    }
  }

  /// Rows of a repartitioned view come when every partition's events are in it. Which of the repaired events are before
  /// a tile is final depends on how fast partitions are read; every one that was in time is.
  private static func expectShops(_ store: any BlobStore, _ naive: NaivePayments, _ seed: UInt64) async throws {
    let lateness = NaiveHistory.lateness
    let end = (naive.steps.values.map { $0.last?.watermark ?? .min }.min() ?? .min) - lateness
    var inTime: [String: [Int64]] = [:]
    for step in naive.steps.values.joined() {
      guard let event = step.kept, event.time >= step.watermark - lateness else { continue }
      inTime[event.shop, default: []].append(event.time)
    }
    var expected: [String: ClosedRange<Int64>] = [:]
    for (shop, times) in inTime {
      for start in Set(times.map { $0 - $0 % NaiveHistory.span }) where start + NaiveHistory.span <= end {
        let window = start - 3_600_000..<start + NaiveHistory.span
        let all = naive.kept.count { $0.shop == shop && window.contains($0.time) }
        expected["\(shop) \(start)"] = Int64(times.count { window.contains($0) })...Int64(all)
      }
    }
    #expect(expected.count > 100, "seed \(seed)")
    func found() throws -> [String: Int64] {
      var found: [String: Int64] = [:]
      guard try DeltaTable.open(store, try BlobName("features/by_shop")) != nil else { return found }
      let rows = try Self.rows("by_shop", store, key: "shop", columns: ["n_1h"])
      for row in rows.sorted(by: { $0.place.revision < $1.place.revision }) {
        let start = row.place.time - row.place.time % NaiveHistory.span
        if case .integer(let count) = row.values[0] { found["\(row.place.user) \(start)"] = count }
      }
      return found
    }
    do {
      try await eventually("every tile has its rows") {
        let found = try found()
        return expected.allSatisfy { tile, counts in found[tile].map { counts.contains($0) } ?? false }
      }
    } catch {
      let found = try found()
      for (tile, counts) in expected.sorted(by: { $0.key < $1.key }).filter({ tile, counts in
        !(found[tile].map { counts.contains($0) } ?? false)
      }).prefix(5) {
        let count = found[tile].map { "\($0)" } ?? "no row"
        Issue.record("shop and tile \(tile): \(count), expected \(counts), seed \(seed)")
      }
      throw error
    }
  }

  /// The row of an event and the vector of its prediction are read at the same moment; hot keys, so that one comes
  /// several times in a batch.
  @Test(arguments: [UInt64(3), 40]) func `A model and a history of updates see the same`(users: UInt64) async throws {
    let seed = TestSeed.next()
    try await Node.run { node in
      var random = SplitMix64(seed: seed)
      try await node.createTopic(partitions: Self.partitions)
      let views = Payments.views.replacing("entity: user", with: "entity: user\n    history: updates")
      let plan = try ScoredPayments.plan(node.folder, views: views)
      let events = Payments.events(1_600, seed: random.next(), users: users)
      let store = MemoryBlobStore()
      for life in 0..<3 {
        let batch = [5, 300, 1_024][Int(random.next() % 3)]
        let engine = try await node.engine(plan) { configuration in
          configuration.tableStore = store
          configuration.tableFreshnessMilliseconds = 50
          configuration.batchRecordsMaximum = batch
          configuration.checkpointIntervalMilliseconds = 100
        }
        let start = life * 500
        try await node.publish(events[start..<(life == 2 ? 1_600 : start + 500)], partitions: Self.partitions)
        if life < 2 {
          try await eventually("some of it is applied") { EngineTests.counts([engine]).read >= Int64(start + 300) }
          await engine.abandon()
          continue
        }
        try await EngineTests.waitUntilApplied(node, [engine], hasShops: false)
        await engine.drain()
      }
      let expected = try ScoredPayments.expected(EngineTests.log(events), plan)
      let records = try await node.records("pay.predictions", partitions: Self.partitions)
      #expect(records.count == expected.count, "seed \(seed)")
      for record in records {
        let json = try JSONDocument(Array((record.value ?? "").utf8), depthMax: 4)
        let place = try #require(record.headers["headrace-src"])
        let vector = try #require(expected[place], "seed \(seed)").vector
        guard case .array(let found)? = json["features"]?.content else {
          Issue.record("no features, seed \(seed)")
          continue
        }
        let values = found.map { $0.content.number ?? .nan }
        #expect(zip(values, vector).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, "\(place), seed \(seed)")
      }
      let columns = ["n_1h", "total_1h", "largest_6h", "newest_6h"]
      let rows = try Self.rows("by_user", store, columns: columns)
      #expect(Set(rows.map { "\($0.place.partition)@\($0.place.offset)" }).count == rows.count)
      for row in rows {
        let prediction = expected["payments/\(row.place.partition)@\(row.place.offset)"]
        let vector = try #require(prediction, "seed \(seed)").vector[..<4]
        let values = row.values.map { Float($0.number ?? .nan) }
        #expect(zip(values, vector).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }, "seed \(seed)")
      }
      #expect(!rows.isEmpty && rows.count <= expected.count)
    }
  }

  @Test func `A feature that is added becomes a column, and the history goes on`() async throws {
    try await Node.run { node in
      try await node.createTopic(partitions: Self.partitions)
      let plan = try Payments.plan(Self.view("by_event", "updates"))
      let wider = try Payments.plan(Self.view("by_event", "updates", more: "      smallest: min(amount) over 6h"))
      let events = Payments.events(600, seed: 7)
      let store = MemoryBlobStore()
      for (plan, part) in [(plan, events[..<300]), (wider, events[300...])] {
        let engine = try await node.engine(plan) { configuration in
          configuration.tableStore = store
          configuration.appliesPlan = true
        }
        try await node.publish(part, partitions: Self.partitions)
        let ends = try await node.ends("payments", partitions: Self.partitions)
        try await eventually("everything is applied") { Engine.hasApplied([engine], "payments", ends) }
        try await eventually("the view is built") { engine.status().tasks.allSatisfy { $0.bootstraps.isEmpty } }
        await engine.drain()
      }
      let naive = NaivePayments(EngineTests.log(events), plan: wider)
      try Self.compare(try Self.rows("by_event", store), NaiveHistory(naive, .updates).rows, "by_event")
      let table = try #require(try DeltaTable.open(store, try BlobName("features/by_event")))
      let added = try #require(table.snapshot.metadata.schema.field("smallest_6h"))
      #expect(added.metadata.contains("min(amount) over 6h"))
      let filled = try Self.rows("by_event", store, columns: ["smallest_6h"]).count { $0.values != [.null] }
      #expect(filled > 200 && filled < 350)
    }
  }

  private static func compare(
    _ found: [(place: NaiveHistory.Place, values: [Value])], _ expected: [NaiveHistory.Place: [Value]], _ what: String
  ) throws {
    #expect(found.count == expected.count, "\(what)")
    var seen: Set<NaiveHistory.Place> = []
    var wrong = 0
    for row in found.sorted(by: { $0.place < $1.place }) {
      let isRight = seen.insert(row.place).inserted && expected[row.place] == row.values
      if !isRight {
        wrong += 1
        if wrong < 5 { Issue.record("\(what): \(row), expected \(expected[row.place] ?? [])") }
      }
    }
    for place in expected.keys.sorted() where !seen.contains(place) {
      wrong += 1
      if wrong < 5 { Issue.record("\(what): \(place) is missing") }
    }
    #expect(wrong == 0, "\(what)")
  }

  private static func rows(
    _ view: String, _ store: any BlobStore, key: String = "user", columns: [String] = columns
  ) throws -> [(place: NaiveHistory.Place, values: [Value])] {
    let table = try #require(try DeltaTable.open(store, try BlobName("features/\(view)")))
    let schema = table.snapshot.metadata.schema
    let scan = try TableScan(table)
    let wanted = try columns.map { try #require(schema.index(of: $0)) }
    let names = [key, "event_time", "_revision", "_partition", "_offset"]
    let places = try names.map { try #require(schema.index(of: $0)) }
    var batch = ColumnBatch(scan.types)
    var rows: [(NaiveHistory.Place, [Value])] = []
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let place = NaiveHistory.Place(
          partition: Int32(batch.columns[places[3]].integers[row]), offset: batch.columns[places[4]].integers[row],
          user: batch.columns[places[0]].text.string(row), time: batch.columns[places[1]].integers[row] / 1_000,
          revision: batch.columns[places[2]].integers[row])
        rows.append((place, wanted.map { batch.columns[$0].value(row) }))
      }
    }
    return rows
  }
}

extension JSONDocument.Content {
  fileprivate var number: Float? {
    if case .number(let text) = self { Float(text) } else { nil }
  }
}

extension Value {
  fileprivate var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }
}
