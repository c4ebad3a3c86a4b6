internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Registry
internal import Runtime
internal import Storage
internal import Synchronization
internal import Topology
internal import Training

/// How a process runs the policies of its topology.
struct RetrainingConfiguration: Sendable {
  var client: ClientConfiguration
  var dataDirectory: String
  /// nil: there are no tables, so no policy runs.
  var tables: (any BlobStore)?
  var tableFreshnessMilliseconds: Int64
  var replicationFactor: Int32
  /// Where the brokers and the tables are, as flags: for the processes that work.
  var arguments: [String]
  /// Of predictions that are Avro.
  var schemas: any WriterSchemas = NoWriterSchemas()
  /// What the stream is like in this process.
  var stream: @Sendable () -> EngineStatus?
  /// How long a lease goes on without its holder.
  var leaseMilliseconds: Int64 = 15_000
  /// How often a piece of work is begun again after it failed.
  var attemptsMaximum = 2
}

/// Runs the policies of a topology on a thread of its own, outside of the stream's path: what monitors tell and what
/// the control topic says in, commands and processes out.
///
/// Every process of the topology has one. They open the same retrainings under the same ids, of which the first one in
/// the log counts, and the lease in the log says which of them works.
final class RetrainingRunner: Sendable {
  private struct State {
    var plan: Plan?
    var planNumber = 0
    var isRunning = false
    var isStopping = false
  }

  private let state = Mutex(State())
  let configuration: RetrainingConfiguration
  let logger: Logger

  init(_ configuration: RetrainingConfiguration, logger: Logger) {
    self.configuration = configuration
    var logger = logger
    logger[metadataKey: "part"] = "policies"
    self.logger = logger
  }

  /// Starts, or goes over to another plan. A plan without policies runs none.
  func follow(_ plan: Plan) {
    let isNew = state.withLock { state in
      state.plan = plan
      state.planNumber += 1
      guard !state.isRunning, !state.isStopping, !plan.policies.isEmpty else { return false }
      state.isRunning = true
      return true
    }
    guard isNew else { return }
    do throws(HeadraceError) {
      try BlockingThread.start(name: "policies") { self.run() }
    } catch {
      state.withLock { $0.isRunning = false }
      logger.error("policies do not start", metadata: ["error": "\(error)"])
    }
  }

  /// Ends the processes that work: whoever comes next goes on with what they have left.
  func stop() async {
    state.withLock { $0.isStopping = true }
    while state.withLock({ $0.isRunning }) { try? await Task.sleep(for: .milliseconds(10)) }
  }

  var isStopping: Bool { state.withLock { $0.isStopping } }

  func isCurrent(_ number: Int) -> Bool { state.withLock { $0.planNumber == number && !$0.isStopping } }

  private func run() {
    var failures = 0
    while !isStopping {
      let (plan, number) = state.withLock { ($0.plan, $0.planNumber) }
      guard let plan, !plan.policies.isEmpty, let tables = configuration.tables else {
        pause(milliseconds: 200)
        continue
      }
      do {
        let session = try RetrainingSession(plan, self, tables)
        defer { session.close() }
        while isCurrent(number) { try session.step() }
        failures = 0
      } catch {
        failures += 1
        logger.warning("policies begin again", metadata: ["error": "\(error)"])
        pause(milliseconds: min(200 << min(failures, 5), 5_000))
      }
    }
    state.withLock { $0.isRunning = false }
  }

  private func pause(milliseconds: Int) {
    let end = WallClock.monotonic.nowMilliseconds + Int64(milliseconds)
    while !isStopping, WallClock.monotonic.nowMilliseconds < end { Sleep.milliseconds(10) }
  }

  /// Who this process is in leases, over restarts: one that was killed goes on at once.
  func worker() throws(HeadraceError) -> String {
    let folder = "\(configuration.dataDirectory)/retrainings"
    try Folder.make(folder)
    let path = "\(folder)/worker"
    if let known = try? TextFile.readLine(path), !known.isEmpty { return known }
    let name = "worker-\(RegistryCommand.newID().prefix(16))"
    try NewFile.replace(path, with: Array(name.utf8))
    return name
  }
}
