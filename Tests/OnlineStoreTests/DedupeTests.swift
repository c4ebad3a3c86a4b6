import Core
import Rocks
import TestSupport
import Testing

@testable import OnlineStore

@Suite struct DedupeTests {
  /// What the definition says, in the plainest words.
  private struct Model {
    var first: [String: Int64] = [:]

    mutating func isDuplicate(_ id: String, time: Int64, watermark: Int64, within: Int64) -> Bool {
      if let known = first[id], known >= watermark - within { return true }
      first[id] = time
      return false
    }
  }

  private struct Event {
    var id: String?
    var time: Int64
    var watermark: Int64
  }

  private static let within: Int64 = 10_000

  private static func check(_ table: DedupeTable, _ events: [Event]) throws -> [Bool] {
    var ids = EntityKeys()
    var headers = EventHeaders(partition: 0)
    for (row, event) in events.enumerated() {
      if let id = event.id { unsafe ids.append(bytes: Array(id.utf8).span.bytes) } else { ids.appendNull() }
      headers.append(
        offset: Int64(row), eventTimeMilliseconds: event.time, watermarkMilliseconds: event.watermark)
    }
    var isDuplicate = [Bool](repeating: true, count: events.count)
    try table.check(ids: ids, rows: Array(0..<events.count), headers: headers, isDuplicate: &isDuplicate)
    return isDuplicate
  }

  private static func open(_ path: String, budget: Int) throws -> (TaskStore, DedupeTable) {
    var options = StoreOptions()
    options.dedupeBudgetBytes = budget
    options.writeBufferBytes = 1 << 18
    let store = try TaskStore(path: path, options: options)
    return (store, try store.dedupeTable(source: "s", withinMilliseconds: within))
  }

  /// Checkpoints, kills, discards and compactions in between must not change a single answer, nor must the budget.
  @Test(arguments: [0, 30_000, 1 << 30], UInt64(1)...3)
  func `the first in the log wins, whatever happens in between`(budget: Int, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let folder = try TestFolder()
    var (store, table) = try Self.open(folder.path, budget: budget)
    var model = Model()
    var saved = (model: model, watermark: Int64(1_000_000))
    var watermark: Int64 = 1_000_000
    var duplicates = 0
    for step in 0..<50 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0:
        store.discardUnsaved()
        (model, watermark) = saved
      case 1:
        store.close()
        (store, table) = try Self.open(folder.path, budget: budget)
        (model, watermark) = saved
      case 2:
        try store.database.flush()
        try store.database.compact(from: [], to: [0xff], in: StoreFamily.dedupe)
      case 3, 4, 5:
        try store.checkpoint(meta: [])
        saved = (model, watermark)
      default:
        var events: [Event] = []
        for _ in 0..<Int.random(in: 1...600, using: &random) {
          watermark += Int64.random(in: 0...20, using: &random)
          let id = Int.random(in: 0..<30, using: &random) == 0 ? nil : "e\(Int.random(in: 0..<3_000, using: &random))"
          let time = watermark - Int64.random(in: 0...5_000, using: &random)
          events.append(Event(id: id, time: time, watermark: watermark))
        }
        let expected = events.map { event in
          event.id.map {
            model.isDuplicate($0, time: event.time, watermark: event.watermark, within: Self.within)
          } ?? false
        }
        #expect(try Self.check(table, events) == expected, "seed \(seed), budget \(budget), step \(step)")
        duplicates += expected.count { $0 }
      }
    }
    #expect(duplicates > 100)
  }

  @Test func `what nobody asks for any more leaves the disk`() throws {
    let folder = try TestFolder()
    let (store, table) = try Self.open(folder.path, budget: 1 << 20)
    let old = (0..<1_000).map { Event(id: "old-\($0)", time: 5_000, watermark: 5_000) }
    _ = try Self.check(table, old)
    try store.checkpoint(meta: [])
    _ = try Self.check(table, [Event(id: "new", time: 15_001, watermark: 15_001)])
    // The watermark moved, but a restart begins before it: nothing may go yet.
    try store.database.flush()
    try store.database.compact(from: [], to: [0xff], in: StoreFamily.dedupe)
    #expect(try Self.stored(store) == 1_000)
    try store.checkpoint(meta: [])
    try store.database.flush()
    try store.database.compact(from: [], to: [0xff], in: StoreFamily.dedupe)
    #expect(try Self.stored(store) == 1)
  }

  private static func stored(_ store: TaskStore) throws -> Int {
    var count = 0
    var iterator = try store.database.iterator(in: StoreFamily.dedupe)
    while try iterator.next() { count += 1 }
    return count
  }

  @Test func `sources do not see each other's ids`() throws {
    let folder = try TestFolder()
    let (store, table) = try Self.open(folder.path, budget: 1 << 20)
    let other = try store.dedupeTable(source: "t", withinMilliseconds: Self.within)
    let event = [Event(id: "a", time: 1, watermark: 1)]
    #expect(try Self.check(table, event) == [false])
    #expect(try Self.check(other, event) == [false])
    #expect(try Self.check(table, event) == [true])
    #expect(try store.dedupeTable(source: "t", withinMilliseconds: Self.within) === other)
  }

  @Test func `after a while nobody goes to the disk any more`() throws {
    let folder = try TestFolder()
    do {
      let (store, table) = try Self.open(folder.path, budget: 1 << 20)
      _ = try Self.check(table, [Event(id: "a", time: 1_000, watermark: 1_000)])
      try store.checkpoint(meta: [])
      store.close()
    }
    let (_, table) = try Self.open(folder.path, budget: 1 << 20)
    _ = try Self.check(table, [Event(id: "b", time: 2_000, watermark: 2_000)])
    #expect(table.counters.diskLookups == 1)
    _ = try Self.check(table, [Event(id: "c", time: 11_001, watermark: 11_001)])
    #expect(table.counters.diskLookups == 1, "all that was saved is older than what counts")
  }
}
