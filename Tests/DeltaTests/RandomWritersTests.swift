import Core
import Storage
import TestSupport
import Testing

@testable import Delta

/// Several writers, compactors and zombies over one store, in random interleavings, with crashes and unknown outcomes
/// at any operation; a naive model says what the table must hold.
///
/// Each writer owns an application and writes its rows 0, 1, 2… in files that say which. The model is the demand: the
/// files of the newest version hold each row below the application's version exactly once, and no other; and what was
/// reported committed is below.
@Suite struct RandomWritersTests {
  @Test(arguments: 0..<20)
  func `no row twice, none lost, whatever happens`(run: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let simulation = Simulation(seed: seed)
    do {
      try simulation.play(steps: 40)
    } catch {
      Issue.record("seed \(seed): \(error)")
    }
    #expect(simulation.violations.isEmpty, "seed \(seed): \(simulation.violations)")
  }
}

private final class Simulation: @unchecked Sendable {
  // One thread; the store calls back into it in the middle of operations.
  private let store = MemoryBlobStore()
  private var random: SplitMix64
  private var actors: [Actor] = []
  private var acknowledged: [String: Int64] = [:]
  private var depth = 0
  private var busy: Set<Int> = []
  var violations: [String] = []

  private struct Actor {
    var application: String
    /// Nil after a crash: it opens the table again.
    var table: DeltaTable?
  }

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    actors = (0..<4).map { Actor(application: "app\($0 % 3)", table: nil) }
  }

  func play(steps: Int) throws {
    _ = try TestTable.create(store)
    for _ in 0..<steps { act(Int.random(in: 0..<actors.count, using: &random)) }
    try judge()
  }

  /// The store as one actor sees it: others act in the middle of its operations, and some go wrong.
  private func disturbed() -> FaultyBlobStore {
    FaultyBlobStore(store) { [self] operation, _ in
      // Most interesting is what happens in front of a commit.
      if depth < 2 && Int.random(in: 0..<(operation == .putIfAbsent ? 3 : 60), using: &random) == 0 {
        depth += 1
        act(Int.random(in: 0..<actors.count, using: &random))
        depth -= 1
      }
      switch Int.random(in: 0..<40, using: &random) {
      case 0: return .fail
      case 1: return operation == .putIfAbsent ? .lose : .fail
      case 2: return .applyAndFail
      default: return .proceed
      }
    }
  }

  private func act(_ index: Int) {
    // Two actors share an application, as a zombie and its heir do; one actor does one thing at a time.
    guard busy.insert(index).inserted else { return }
    defer { busy.remove(index) }
    do {
      var table: DeltaTable
      if let known = actors[index].table {
        table = known
      } else {
        guard let opened = try DeltaTable.open(disturbed(), BlobName(TestTable.root)) else { return }
        table = opened
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        try compact(&table)
      } else {
        try append(&table, actors[index].application)
      }
      actors[index].table = Int.random(in: 0..<12, using: &random) == 0 ? nil : table
    } catch {
      actors[index].table = nil
    }
  }

  private func append(_ table: inout DeltaTable, _ application: String) throws {
    let from = table.snapshot.transactionVersion(application)
    let start = from ?? 0
    let end = start + Int64.random(in: 1...5, using: &random)
    let rows = (start..<end).map { "\(application)/\($0)" }.joined(separator: " ")
    let file = try TestTable.file("f\(UniqueID.random())", tags: ["rows": rows])
    let move = TransactionMove(applicationID: application, from: from, to: end)
    if case .committed = try table.commit(.append([file], moves: [move]), nowMilliseconds: 1) {
      if acknowledged[application] ?? 0 > start { violations.append("\(application) was told of \(start) twice") }
      acknowledged[application] = max(acknowledged[application] ?? 0, end)
    }
  }

  private func compact(_ table: inout DeltaTable) throws {
    let files = table.snapshot.files.shuffled(using: &random).prefix(Int.random(in: 2...4, using: &random))
    guard files.count > 1 else { return }
    var transaction = TableTransaction(CommitDescription(operation: "OPTIMIZE"))
    transaction.removed = files.map { $0.removed(atMilliseconds: 1, isDataChange: false) }
    let rows = files.compactMap { $0.tags?["rows"] ?? nil }.joined(separator: " ")
    transaction.added = [try TestTable.file("c\(UniqueID.random())", tags: ["rows": rows])]
    transaction.added[0].isDataChange = false
    _ = try table.commit(transaction, nowMilliseconds: 1)
  }

  private func judge() throws {
    guard let newest = try TestTable.open(store)?.snapshot else { throw CommitTests.TestFailure() }
    var last: [String: Int64] = [:]
    for version in 0...newest.version where version % 9 == 0 || version == newest.version {
      guard let snapshot = try TestTable.open(store, at: .version(version))?.snapshot else {
        violations.append("version \(version) is missing")
        continue
      }
      var expected: Set<String> = []
      for transaction in snapshot.transactions {
        if transaction.version < last[transaction.applicationID] ?? 0 {
          violations.append("a txn went back at \(version)")
        }
        last[transaction.applicationID] = transaction.version
        for row in 0..<transaction.version { expected.insert("\(transaction.applicationID)/\(row)") }
      }
      let rows = snapshot.files.flatMap { file in
        ((file.tags?["rows"] ?? nil) ?? "").split(separator: " ").map(String.init)
      }
      if Set(rows).count != rows.count { violations.append("version \(version) has rows twice") }
      if Set(rows) != expected { violations.append("version \(version) has other rows than its txn say") }
    }
    for (application, end) in acknowledged where newest.transactionVersion(application) ?? 0 < end {
      violations.append("\(application) lost acknowledged rows")
    }
  }
}
