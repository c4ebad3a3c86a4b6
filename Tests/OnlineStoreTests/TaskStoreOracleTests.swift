import Columns
import Core
import Features
import Rocks
import TestSupport
import Testing

@testable import OnlineStore

/// A store beside a dictionary, over random histories.
@Suite struct TaskStoreOracleTests {
  private struct History {
    var random: SplitMix64
    var offset: Int64 = 0
    var time: Int64 = 1_700_000_000_000
    let keys: [EntityKey]

    init(seed: UInt64, keyCount: Int) {
      random = SplitMix64(seed: seed)
      // Short, long and empty keys.
      keys = (0..<keyCount).map { EntityKey(bytes: Array(repeating: UInt8($0 & 0xff), count: $0 % 40)) }
    }

    mutating func batch() -> TestBatch {
      var batch = TestBatch()
      let skew = Int.random(in: 1...keys.count, using: &random)
      for _ in 0..<Int.random(in: 1...700, using: &random) {
        offset += Int64.random(in: 1...3, using: &random)
        time += Int64.random(in: 0...400, using: &random)
        let key = keys[Int.random(in: 0..<skew, using: &random)]
        let late = Int64.random(in: 0...50_000, using: &random)
        batch.append(
          key, Double.random(in: -1e6...1e6, using: &random), offset: offset, time: time - late, watermark: time)
      }
      return batch
    }
  }

  private static func options(budget: Int) -> StoreOptions {
    var options = StoreOptions()
    options.memoryBudgetBytes = budget
    options.writeBufferBytes = 1 << 18
    return options
  }

  private static func open(_ path: String, _ layouts: [ViewLayout], budget: Int) throws -> TaskStore {
    let store = try TaskStore(path: path, options: options(budget: budget))
    for (index, layout) in layouts.enumerated() {
      let namespace = try store.namespace(for: layout)
      #expect(namespace.view == index)
    }
    return store
  }

  private static func compare(_ store: TaskStore, _ model: StoreModel, _ history: History, _ note: Comment) throws {
    var values: [FeatureValue] = []
    for view in model.layouts.indices {
      for key in history.keys {
        let time = history.time
        try store.read(view: view, key: key, at: time, watermark: time, features: TestViews.all, into: &values)
        let expected = try model.read(view, key, at: time, watermark: time)
        #expect(values == expected, note)
      }
      try compareGathered(store, model.layouts[view], view, history, note)
    }
  }

  /// Numbers for a model are what a read says, now and in the past.
  private static func compareGathered(
    _ store: TaskStore, _ layout: ViewLayout, _ view: Int, _ history: History, _ note: Comment
  ) throws {
    var keys = EntityKeys()
    for key in history.keys { keys.append(key) }
    let stride = TestViews.all.count
    var matrix = [Double](repeating: 0, count: keys.count * stride)
    var values: [FeatureValue] = []
    for time in [history.time, history.time - 20_000, history.time - 90_000_000] {
      try unsafe matrix.withUnsafeMutableBufferPointer { buffer throws(HeadraceError) in
        guard let start = buffer.baseAddress else { return }
        let plan = layout.gatherPlan(of: TestViews.all)
        try unsafe store.gather(
          view: view, keys: keys, rows: Array(0..<keys.count), at: Array(repeating: time, count: keys.count),
          watermark: history.time, into: FeatureMatrix(start: start, stride: stride, plan: plan))
      }
      for (row, key) in history.keys.enumerated() {
        try store.read(
          view: view, key: key, at: time, watermark: history.time, features: TestViews.all, into: &values)
        for (place, value) in values.enumerated() {
          let found = matrix[row * stride + place]
          let expected = value.value.number ?? .nan
          #expect(found.bitPattern == expected.bitPattern || found.isNaN && expected.isNaN, note)
          #expect(GatherPlan.isNotRetained(found) == value.flags.contains(.beforeHorizon), note)
        }
      }
    }
  }

  /// Budgets: nothing fits, some fits, all fits.
  @Test(arguments: [0, 60_000, 1 << 30], UInt64(1)...2)
  func `whatever happens, a row reads as its events say`(budget: Int, seed: UInt64) throws {
    let layouts = [try TestViews.layout("a"), try TestViews.layout("b")]
    let folder = try TestFolder()
    var history = History(seed: seed, keyCount: 120)
    var store = try Self.open(folder.path, layouts, budget: budget)
    var model = StoreModel(layouts)
    var saved = model
    var savedMeta: [UInt8]?
    var evictions: Int64 = 0
    for step in 0..<40 {
      let note: Comment = "seed \(seed), budget \(budget), step \(step)"
      switch Int.random(in: 0..<20, using: &history.random) {
      case 0..<10:
        let batch = history.batch()
        let view = Int.random(in: 0..<2, using: &history.random)
        try model.apply(batch, view: view)
        try store.apply(
          view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
      case 10..<15:
        savedMeta = Array("step \(step)".utf8)
        try store.checkpoint(meta: savedMeta ?? [])
        saved = model
        #expect(store.dirtyBytes == 0)
      case 15:
        store.discardUnsaved()
        model = saved
      case 16, 17:
        evictions += try store.statistics().evictions
        store.close()
        store = try Self.open(folder.path, layouts, budget: budget)
        model = saved
      default:
        // A kill: the folder as it is now is the last checkpoint.
        let copy = try TestFolder()
        try TestFolder.copy(folder.path, to: "\(copy.path)/s")
        let other = try Self.open("\(copy.path)/s", layouts, budget: budget)
        try Self.compare(other, saved, history, note)
        #expect(try other.loadMeta() == savedMeta, note)
        other.close()
      }
      #expect(try store.loadMeta() == savedMeta, note)
      if step % 6 == 0 { try Self.compare(store, model, history, note) }
    }
    try store.checkpoint(meta: [])
    try Self.compare(store, model, history, "the end, seed \(seed), budget \(budget)")
    evictions += try store.statistics().evictions
    #expect((evictions > 0) == (budget < 1 << 20))
  }

  @Test(arguments: [0, 60_000, 1 << 30], UInt64(11)...14)
  func `a checkpoint that is written while events go on is of the moment at which it was taken`(
    budget: Int, seed: UInt64
  ) throws {
    let layouts = [try TestViews.layout("a"), try TestViews.layout("b")]
    let folder = try TestFolder()
    var history = History(seed: seed, keyCount: 120)
    let store = try Self.open(folder.path, layouts, budget: budget)
    var model = StoreModel(layouts)
    var saved = model
    var taken: (checkpoint: TakenCheckpoint, model: StoreModel, isWritten: Bool)?
    var ends = 0
    for step in 0..<80 {
      let note: Comment = "seed \(seed), budget \(budget), step \(step)"
      switch Int.random(in: 0..<20, using: &history.random) {
      case 0..<9:
        let batch = history.batch()
        let view = Int.random(in: 0..<2, using: &history.random)
        try model.apply(batch, view: view)
        try store.apply(
          view: view, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows, headers: batch.headers)
      case 9..<16:
        if let now = taken, now.isWritten {
          try store.endCheckpoint()
          taken = nil
          ends += 1
        } else if let now = taken {
          try now.checkpoint.write()
          taken?.isWritten = true
          saved = now.model
        } else {
          taken = (try store.beginCheckpoint(meta: [UInt8(step)]), model, false)
          #expect(store.dirtyBytes == 0, note)
        }
      case 16:
        if let now = taken, now.isWritten { try store.endCheckpoint() }
        taken = nil
        store.discardUnsaved()
        model = saved
      case 17:
        guard let now = taken, !now.isWritten else { continue }
        taken = nil
        if step % 2 == 0 {
          store.abandonCheckpoint()
        } else {
          let refusal = HeadraceError(.external, "STATE_DISK_FULL", "no room", retry: .sameCall)
          #expect(throws: HeadraceError.self) { try store.endCheckpoint(refusal) }
        }
      default:
        let copy = try TestFolder()
        try TestFolder.copy(folder.path, to: "\(copy.path)/s")
        let other = try Self.open("\(copy.path)/s", layouts, budget: budget)
        try Self.compare(other, saved, history, note)
        other.close()
      }
      if step % 6 == 0 { try Self.compare(store, model, history, note) }
    }
    #expect(ends > 2, "seed \(seed)")
    try Self.compare(store, model, history, "the end, seed \(seed), budget \(budget)")
  }

  @Test func `features of a model hold the event itself and none behind it`() throws {
    let layout = try TestViews.layout()
    let folder = try TestFolder()
    let store = try Self.open(folder.path, [layout], budget: 1 << 20)
    let key = EntityKey(bytes: Array("only".utf8))
    var batch = TestBatch()
    let count = 1_000
    for row in 0..<count {
      let time = 1_700_000_000_000 + Int64(row)
      batch.append(key, Double(row), offset: Int64(row), time: time, watermark: time)
    }
    let stride = 6
    var matrix = [Double](repeating: -1, count: count * stride)
    try unsafe matrix.withUnsafeMutableBufferPointer { buffer throws(HeadraceError) in
      guard let start = buffer.baseAddress else { return }
      try unsafe store.applyAndGather(
        view: 0, keys: batch.keys, inputs: [batch.amounts], rows: batch.rows,
        applies: [Bool](repeating: true, count: count), headers: batch.headers,
        into: FeatureMatrix(start: start + 1, stride: stride, plan: layout.gatherPlan(of: [0, 1, 2, 3])))
    }
    for row in 0..<count {
      let sum = Double(row * (row + 1) / 2)
      let expected = [-1, Double(row + 1), sum, Double(row + 1), sum / Double(row + 1), -1]
      #expect(Array(matrix[row * stride..<(row + 1) * stride]) == expected, "row \(row)")
    }
  }

  @Test func `rows without a key and rows that are not asked for are passed over`() throws {
    let layout = try TestViews.layout()
    let folder = try TestFolder()
    let store = try Self.open(folder.path, [layout], budget: 1 << 20)
    var columns = ColumnBatch([.string, .double])
    var headers = EventHeaders(partition: 0)
    for row in 0..<9 {
      if row % 3 == 0 { columns.columns[0].appendNull() } else { columns.columns[0].append("k") }
      columns.columns[1].append(Double(row))
      headers.append(offset: Int64(row), eventTimeMilliseconds: 1_000_000, watermarkMilliseconds: 1_000_000)
    }
    var keys = EntityKeys()
    keys.encode(columns.columns, parts: [0], rowCount: 9)
    try store.apply(view: 0, keys: keys, inputs: [columns.columns[1]], rows: [0, 1, 3, 4, 6], headers: headers)
    var values: [FeatureValue] = []
    try store.read(
      view: 0, key: EntityKey(bytes: Array("k".utf8)), at: 1_000_000, watermark: 1_000_000, features: [0, 1],
      into: &values)
    #expect(values.map(\.value) == [.integer(2), .double(5)])
    #expect(try store.statistics().rows == 1)
  }

  @Test(arguments: UInt64(1)...4)
  func `deltas merge into rows in memory, on the disk and nowhere yet`(seed: UInt64) throws {
    let layout = try TestViews.layout()
    let folder = try TestFolder()
    var history = History(seed: seed, keyCount: 50)
    let store = try Self.open(folder.path, [layout], budget: 20_000)
    var model = StoreModel([layout])
    for _ in 0..<12 {
      let batch = history.batch()
      var delta = StoreModel([layout])
      try delta.apply(batch, view: 0)
      try model.apply(batch, view: 0)
      var keys = EntityKeys()
      var deltas = TextBuffer()
      for (key, bytes) in delta.rows[0] {
        keys.append(key)
        unsafe deltas.append(bytes.span.bytes)
      }
      try store.merge(
        view: 0, keys: keys, deltas: deltas, rows: Array(0..<keys.count),
        watermarkMilliseconds: batch.headers.watermarksMilliseconds.last ?? 0, nextOffset: 0)
      if Bool.random(using: &history.random) { try store.checkpoint(meta: []) }
    }
    try Self.compare(store, model, history, "seed \(seed)")
  }
}
