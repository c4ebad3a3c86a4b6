internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Registry
internal import Runtime
internal import Storage
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
  private let thread = SessionThread("policies")
  private let plans = Followed<Plan>()
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
    guard let tables = configuration.tables else { return }
    plans.set(plan.policies.isEmpty ? nil : plan)
    guard !plan.policies.isEmpty else { return }
    do throws(HeadraceError) {
      try thread.start { thread in
        thread.repeatSessions(
          following: self.plans,
          failed: { error, _ in self.logger.warning("policies begin again", metadata: ["error": "\(error)"]) },
          session: { plan, goesOn in
            let session = try RetrainingSession(plan, self, tables)
            defer { session.close() }
            while goesOn() { try session.step() }
          })
      }
    } catch {
      logger.error("policies do not start", metadata: ["error": "\(error)"])
    }
  }

  /// Ends the processes that work: whoever comes next goes on with what they have left.
  func stop() async { await thread.stop() }

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
