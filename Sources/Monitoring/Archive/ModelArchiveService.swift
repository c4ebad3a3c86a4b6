package import Contracts
internal import Core
package import Kafka
package import Logging
package import Storage
internal import Synchronization
package import Topology

/// Brings what models say, and what turns out to be true, into the tables `predictions/MODEL` and `labels/MODEL`, for
/// models with `archive: on`: views of their topics with offsets of their own, never a part of scoring.
///
/// The processes of a topology share the partitions as the group `<topology>.tables`. Rows go into files that nobody
/// sees until a commit moves the table's own offset of the partition (`txn`); whoever reads the partition next, after a
/// kill or because the group gives it to another one, reads on from that offset. So there is no state to save, and each
/// row is there once.
package final class ModelArchiveService: Sendable {
  package struct Configuration: Sendable {
    package var client: ClientConfiguration
    /// nil: there are no tables.
    package var store: (any BlobStore)?
    /// A file is due when its rows wait for so long, or are of records of so many bytes.
    package var freshnessMilliseconds: Int64
    package var fileBytesMaximum: Int64

    package init(
      client: ClientConfiguration, store: (any BlobStore)?, freshnessMilliseconds: Int64, fileBytesMaximum: Int64
    ) {
      self.client = client
      self.store = store
      self.freshnessMilliseconds = freshnessMilliseconds
      self.fileBytesMaximum = fileBytesMaximum
    }
  }

  private let configuration: Configuration
  private let schemas: any WriterSchemas
  private let logger: Logger
  private let control = ModelArchiveControl()

  package init(_ configuration: Configuration, schemas: any WriterSchemas, logger: Logger) {
    self.configuration = configuration
    self.schemas = schemas
    var logger = logger
    logger[metadataKey: "part"] = "tables"
    self.logger = logger
  }

  /// Starts, or goes over to another plan. A plan whose models want no tables needs no thread.
  package func follow(_ plan: Plan) {
    guard let store = configuration.store, control.set(plan) else { return }
    let (configuration, schemas, control, logger) = (configuration, schemas, control, logger)
    do throws(HeadraceError) {
      // Tables may wait in their topics, scoring must not.
      try BlockingThread.start(name: "model-tables", priority: .background) {
        ModelArchiveWorker(configuration, store, schemas, control, logger).run()
      }
    } catch {
      control.noteEnd()
      logger.error("predictions go into no table", metadata: ["error": "\(error)"])
    }
  }

  /// Commits what was read, and ends.
  package func stop() async {
    control.stop()
    while control.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
  }
}

/// How other threads talk to the one that writes the tables.
final class ModelArchiveControl: Sendable {
  private struct State {
    var plan: Plan?
    var number = 0
    var isRunning = false
    var isStopping = false
  }

  private let state = Mutex(State())

  /// - Returns: whether a thread has to be started.
  func set(_ plan: Plan) -> Bool {
    state.withLock { state in
      state.plan = plan
      state.number += 1
      guard !state.isRunning, !state.isStopping, plan.models.contains(where: \.isArchived) else { return false }
      state.isRunning = true
      return true
    }
  }

  var plan: (plan: Plan?, number: Int) { state.withLock { ($0.plan, $0.number) } }
  var isRunning: Bool { state.withLock { $0.isRunning } }
  var isStopping: Bool { state.withLock { $0.isStopping } }

  func stop() { state.withLock { $0.isStopping = true } }
  func noteEnd() { state.withLock { $0.isRunning = false } }
}
