internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
internal import Storage

/// The thread that brings rows from the spools of all tasks into their tables.
final class TableLane: Sendable {
  private struct State: Sendable {
    var ledgers: [SpoolLedger] = []
    /// Of tasks that left: emptied at once, then forgotten.
    var released: [SpoolLedger] = []
    var isRunning = false
    var isDraining = false
    var hasEnded = false
    /// Since the start, by table.
    var totals: [String: Totals] = [:]
  }

  /// What became of a table's rows.
  private struct Totals: Sendable {
    var publishedRows: Int64 = 0
    var failures: Int64 = 0
  }

  private let store: any BlobStore
  private let configuration: RuntimeConfiguration
  private let clock: WallClock
  private let logger: Logger
  private let state = Monitor(State())

  init(_ store: any BlobStore, _ configuration: RuntimeConfiguration, clock: WallClock, logger: Logger) {
    self.store = store
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
  }

  /// D of a table's partition.
  func progress(of table: OfflineTable) throws(HeadraceError) -> Int64? {
    try TablePublisher.progress(table, in: store)
  }

  func register(_ ledger: SpoolLedger) { state.change { $0.ledgers.append(ledger) } }

  func release(_ ledger: SpoolLedger) {
    state.change { state in
      state.ledgers.removeAll { $0 === ledger }
      state.released.append(ledger)
    }
  }

  /// How every table is doing, by name.
  var status: [TableStatus] {
    let (ledgers, totals) = state.change { ($0.ledgers, $0.totals) }
    let now = WallClock.monotonic.nowMilliseconds
    var tables: [String: TableStatus] = [:]
    for waiting in ledgers.lazy.flatMap(\.waiting) {
      var table = tables[waiting.table] ?? TableStatus(name: waiting.table)
      table.waitingRows += waiting.rowCount
      if let since = waiting.sinceMilliseconds {
        table.oldestWaitingMilliseconds = max(table.oldestWaitingMilliseconds, now - since)
      }
      table.lastFailure = table.lastFailure ?? waiting.failure?.description
      tables[waiting.table] = table
    }
    for (name, total) in totals where tables[name] != nil {
      tables[name]?.publishedRows = total.publishedRows
      tables[name]?.failures = total.failures
    }
    return tables.values.sorted { $0.name < $1.name }
  }

  /// Works until `drain`.
  func run() {
    state.change { $0.isRunning = true }
    let publisher = TablePublisher(store)
    while !state.change({ $0.isDraining }) {
      let hasFailed = !publish(publisher)
      let pause = hasFailed ? Self.retryMilliseconds : Self.roundMilliseconds
      _ = state.wait(timeoutMilliseconds: pause) { $0.isDraining ? true : nil }
    }
    _ = publish(publisher)
    state.change { $0.hasEnded = true }
  }

  /// Publishes what is durable, once the tasks are closed; gives up after a while: what is left waits on the disk.
  func drain() {
    let isRunning = state.change { state in
      state.isDraining = true
      return state.isRunning
    }
    guard isRunning else { return }
    _ = state.wait(timeoutMilliseconds: Self.drainMilliseconds) { $0.hasEnded ? true : nil }
  }

  /// - Returns: whether nothing failed.
  private func publish(_ publisher: TablePublisher) -> Bool {
    var isWell = true
    let (ledgers, released) = state.change { state in
      defer { state.released = [] }
      return (state.ledgers, state.released)
    }
    let due = ledgers.map { ($0, configuration.tableFreshnessMilliseconds) } + released.map { ($0, Int64(0)) }
    for (ledger, freshness) in due {
      let outcome = publisher.publishDue(
        ledger, nowMilliseconds: clock.nowMilliseconds, monotonicMilliseconds: WallClock.monotonic.nowMilliseconds,
        freshnessMilliseconds: freshness, bytesMax: configuration.tableFileBytesMaximum)
      state.change { state in
        for (table, rows) in outcome.rowCounts { state.totals[table, default: Totals()].publishedRows += rows }
        for table in outcome.failures.keys { state.totals[table, default: Totals()].failures += 1 }
      }
      for (table, failure) in outcome.failures.sorted(by: { $0.key < $1.key }) {
        isWell = false
        logger.warning("rows wait for their table", metadata: ["table": "\(table)", "error": "\(failure)"])
      }
    }
    return isWell
  }

  private static let roundMilliseconds: Int64 = 250
  /// What failed is tried again, and said again, only so often.
  private static let retryMilliseconds: Int64 = 5_000
  private static let drainMilliseconds: Int64 = 10_000
}
