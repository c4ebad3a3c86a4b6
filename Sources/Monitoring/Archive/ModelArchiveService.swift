package import Contracts
internal import Core
package import Kafka
package import Logging
package import Storage
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
  /// Tables may wait in their topics, scoring must not.
  private let thread = SessionThread("model-tables", priority: .background)
  private let plans = Followed<Plan>()

  package init(_ configuration: Configuration, schemas: any WriterSchemas, logger: Logger) {
    self.configuration = configuration
    self.schemas = schemas
    var logger = logger
    logger[metadataKey: "part"] = "tables"
    self.logger = logger
  }

  /// Starts, or goes over to another plan. A plan whose models want no tables needs no thread.
  package func follow(_ plan: Plan) {
    guard let store = configuration.store else { return }
    let hasTables = plan.models.contains(where: \.isArchived)
    plans.set(hasTables ? plan : nil)
    guard hasTables else { return }
    do throws(HeadraceError) {
      try thread.start { thread in
        let worker = ModelArchiveWorker(self.configuration, store, self.schemas, self.logger)
        thread.repeatSessions(
          following: self.plans,
          failed: { error, _ in
            self.logger.warning("predictions wait for their tables", metadata: ["error": "\(error)"])
          }, session: worker.session)
      }
    } catch {
      logger.error("predictions go into no table", metadata: ["error": "\(error)"])
    }
  }

  /// Commits what was read, and ends.
  package func stop() async { await thread.stop() }
}
