internal import Core
internal import Kafka
internal import Lineage
internal import Logging
internal import MLflow
internal import Runtime
internal import Serving
internal import Storage
internal import Synchronization

/// Tells others of a process's work: a mirror in MLflow, and lineage events. The work never waits for it.
final class ProcessReports: Sendable {
  private static let lineageMilliseconds: Int64 = 500

  private let engine: Engine
  private let lineage: LineageConfiguration
  private let logger: Logger
  private let queue: LineageQueue?
  private let stream: StreamLineage
  private let mirroring: MLflowMirroring?
  private let tasks = Mutex<[Task<Void, Never>]>([])
  private let mirror: MLflowConfiguration?
  private let filesPlace: String

  init(_ engine: Engine, _ runtime: RuntimeConfiguration, _ options: ReportOptions, logger: Logger) throws {
    self.engine = engine
    self.logger = logger
    lineage = options.lineage.configuration
    queue = lineage.isOn ? LineageQueue(capacity: lineage.queueCapacity) : nil
    stream = StreamLineage(
      engine.plan, namespace: lineage.namespace, bootstrapServers: runtime.client.bootstrapServers,
      tablesPlace: runtime.tableStore?.place)
    mirror = try options.mlflow.mirror()
    mirroring = mirror == nil ? nil : MLflowMirroring()
    filesPlace = "\(runtime.tableStore?.place ?? runtime.dataDirectory)/models"
  }

  /// The engine has begun.
  func begin() {
    var started: [Task<Void, Never>] = []
    if let queue {
      tell(.start)
      started.append(LineageExport.start(queue, lineage, logger: logger))
      started.append(Task { await self.report(queue) })
    }
    if let mirroring, let mirror {
      started.append(
        Task { [engine, filesPlace, logger] in
          await mirroring.run(
            mirror, filesPlace: filesPlace, isMine: { engine.isFirst }, database: { engine.registryCopy },
            logger: logger)
        })
    }
    tasks.withLock { $0 = started }
  }

  /// The engine has stopped.
  ///
  /// - Parameter failure: why, if nobody asked for it.
  func end(failure: HeadraceError?) async {
    tell(failure == nil ? .complete : .fail, error: failure?.description)
    let running = tasks.withLock { $0 }
    for task in running { task.cancel() }
    for task in running { await task.value }
  }

  /// How the telling goes, for `/metrics`.
  var figures: EngineReport.Outside {
    var outside = EngineReport.Outside()
    if let counts = queue?.counts {
      outside.lineage = .init(
        sent: counts.sent, dropped: counts.dropped, failed: counts.failed, waiting: counts.waiting)
    }
    if let status = mirroring?.status { outside.mlflow = .init(offset: status.offset, refused: status.refused) }
    return outside
  }

  private func tell(_ kind: LineageEvent.Kind, error: String? = nil) {
    guard let queue else { return }
    queue.offer(
      stream.event(
        kind, engine.plan, partitions: engine.status().tasks.map(\.partition), error: error,
        nowMilliseconds: WallClock.system.nowMilliseconds))
  }

  /// Says now and then that the stream goes on, and what the registry says of training.
  private func report(_ queue: LineageQueue) async {
    var training: RegistryLineage?
    var due = WallClock.monotonic.nowMilliseconds + lineage.runningIntervalMilliseconds
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(Self.lineageMilliseconds))
      if WallClock.monotonic.nowMilliseconds >= due, !Task.isCancelled {
        tell(.running)
        due += lineage.runningIntervalMilliseconds
      }
      guard engine.isFirst, let database = engine.registryCopy else {
        training = nil
        continue
      }
      var view = training ?? RegistryLineage(database, namespace: lineage.namespace)
      do throws(HeadraceError) {
        try view.step { queue.offer($0) }
        training = view
      } catch {
        training = nil
        logger.warning("lineage of training cannot be read", metadata: ["error": "\(error)"])
      }
    }
  }
}
