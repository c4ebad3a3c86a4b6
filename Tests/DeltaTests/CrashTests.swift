import Core
import Storage
import TestSupport
import Testing

@testable import Delta

/// A writer dies at its first, second, third… operation on the store, until one life gets through: at each line of
/// commit, checkpoint, clean-up, compaction and vacuum there is such a death. After each the table must be what the
/// commits say that took place, and the next life must be able to go on to the same end.
@Suite struct CrashTests {
  enum Death: CaseIterable, Sendable {
    /// The operation does not take place.
    case before
    /// It does, and nobody hears of it.
    case after
  }

  @Test(arguments: Death.allCases)
  func `no row is lost or there twice, wherever the writer dies`(death: Death) throws {
    var operation = 1
    while try !isThrough(dyingAt: operation, death) { operation += 1 }
    #expect(operation > 25)
  }

  /// - Returns: whether no fault fired.
  private func isThrough(dyingAt operation: Int, _ death: Death) throws -> Bool {
    let clock = TestClock()
    clock.milliseconds = 86_400_000 * 100
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    let count = Counter()
    let mortal = FaultyBlobStore(store) { _, _ in
      count.value += 1
      if count.value == operation { return death == .before ? .fail : .applyAndFail }
      return count.value > operation ? .fail : .proceed
    }
    do {
      try Self.life(mortal, clock)
    } catch is HeadraceError {}
    try Self.judge(store, "after death \(death) \(operation)")
    // The heir, twice: what is done need not be done again.
    for _ in 0..<2 {
      try Self.life(store, clock)
      try Self.judge(store, "heir of death \(death) \(operation)")
    }
    let table = try #require(try TestTable.open(store))
    #expect(table.snapshot.transactionVersion("app") == Self.end)
    return count.value < operation
  }

  private static let end: Int64 = 6

  /// Writes rows up to the end, with all that happens to a table on the way.
  private static func life(_ store: any BlobStore, _ clock: TestClock) throws {
    var table = try DeltaTable.openOrCreate(
      store, BlobName(TestTable.root), schema: TestTable.schema(),
      configuration: ["delta.logRetentionDuration": "interval 1 day"], nowMilliseconds: clock.milliseconds)
    while let next = Optional(table.snapshot.transactionVersion("app") ?? 0), next < end {
      let rows = [next, next + 1].map { TestRow(id: $0, name: "n\($0)", day: nil) }
      try table.append(rows, application: "app", to: next + 2, nowMilliseconds: clock.milliseconds)
    }
    _ = try table.compact(nowMilliseconds: clock.milliseconds)
    try table.checkpoint(nowMilliseconds: clock.milliseconds)
    clock.milliseconds += 86_400_000 * 30
    _ = try table.cleanUpLog(nowMilliseconds: clock.milliseconds)
    _ = try table.vacuum(nowMilliseconds: clock.milliseconds)
  }

  /// The rows are those below the application's version, each once.
  private static func judge(_ store: MemoryBlobStore, _ when: String) throws {
    guard let table = try TestTable.open(store) else { return }
    let reached = table.snapshot.transactionVersion("app") ?? 0
    #expect(try table.rows().map(\.id) == Array(0..<reached), "\(when)")
  }

  private final class Counter: @unchecked Sendable {
    // One test, one thread.
    var value = 0
  }
}
