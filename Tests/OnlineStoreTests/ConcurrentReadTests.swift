import Columns
import Core
import Features
import Rocks
import Synchronization
import TestSupport
import Testing

@testable import OnlineStore

/// Readers on threads of their own while the worker applies, checkpoints, evicts and grows the table.
@Suite struct ConcurrentReadTests {
  /// Count and sum of a row must be of the same moment, and neither may ever go back: whether the row is in memory, on
  /// its way to the disk, or only there.
  @Test(arguments: UInt64(1)...2)
  func `a reader sees whole rows, and no row goes back`(seed: UInt64) throws {
    let layout = try TestViews.layout()
    let folder = try TestFolder()
    var options = StoreOptions()
    options.memoryBudgetBytes = 40_000
    let store = try TaskStore(path: folder.path, options: options)
    let view = try store.namespace(for: layout).view
    let keys = (0..<400).map { EntityKey(bytes: Array("key-\($0)".utf8)) }
    let isDone = Atomic<Bool>(false)
    let reads = Atomic<Int>(0)
    let time: Int64 = 1_700_000_000_000
    onThreads(3) { thread in
      do {
        if thread == 0 {
          defer { isDone.store(true, ordering: .releasing) }
          try Self.work(store, view, keys, time, seed: seed) { reads.load(ordering: .relaxed) }
          return
        }
        var random = SplitMix64(seed: seed &* 31 &+ UInt64(thread))
        var seen = [Int64](repeating: 0, count: keys.count)
        var values: [FeatureValue] = []
        while !isDone.load(ordering: .acquiring) {
          let index = Int.random(in: 0..<keys.count, using: &random)
          try store.read(view: view, key: keys[index], at: time, watermark: time, features: [0, 1], into: &values)
          reads.wrappingAdd(1, ordering: .relaxed)
          let count: Int64 = if case .integer(let count) = values[0].value { count } else { 0 }
          // Every event has the amount 2.
          let sum: Double = if case .double(let sum) = values[1].value { sum } else { 0 }
          if sum != Double(2 * count) { Issue.record("seed \(seed): a count of \(count) beside a sum of \(sum)") }
          if count < seen[index] { Issue.record("seed \(seed): \(count) after \(seen[index])") }
          seen[index] = count
        }
      } catch {
        Issue.record("\(error)")
      }
    }
    #expect(reads.load(ordering: .relaxed) > 1_000)
    #expect(try store.statistics().evictions > 0)
    var values: [FeatureValue] = []
    var total: Int64 = 0
    for key in keys {
      try store.read(view: view, key: key, at: time, watermark: time, features: [0], into: &values)
      if case .integer(let count) = values[0].value { total += count }
    }
    #expect(total == Int64(Self.batches * Self.batchRows))
  }

  private static let batches = 120
  private static let batchRows = 500

  private static func work(
    _ store: TaskStore, _ view: Int, _ keys: [EntityKey], _ time: Int64, seed: UInt64, reads: () -> Int
  ) throws {
    var random = SplitMix64(seed: seed)
    for step in 0..<batches {
      var batch = TestBatch()
      let window = step * 3 % keys.count
      for row in 0..<batchRows {
        let key = keys[(window + Int.random(in: 0..<40, using: &random)) % keys.count]
        batch.append(key, 2, offset: Int64(step * batchRows + row), time: time, watermark: time)
      }
      try store.apply(
        view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
      if step % 8 == 7 { try store.checkpoint(meta: []) }
    }
    // Readers that came late still meet a store that is used.
    while reads() <= 1_000 { try store.checkpoint(meta: []) }
  }
}
