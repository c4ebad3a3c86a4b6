internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import Monitoring
internal import Runtime
internal import Serving
internal import Topology

/// The one place where everything meets: a plan's engine and the HTTP server in front of it.
final class TopologyProcess: Sendable {
  let plan: Plan
  let engine: Engine
  let features: any OnlineFeatureSource
  private let host: String
  private let server: FeatureServer
  private let status: any StatusSource
  private let fetching: Task<Void, Never>?
  private let tracing: Task<Void, Never>?
  let monitors: MonitorService
  private let archive: ModelArchiveService
  private let retraining: RetrainingRunner
  private let reports: ProcessReports
  private let requests: RequestLane
  private let instances: InstanceLane
  private let peers: PeerReads

  private init(
    _ plan: Plan, _ engine: Engine, _ server: FeatureServer, features: any OnlineFeatureSource,
    status: any StatusSource, fetching: Task<Void, Never>?, tracing: Task<Void, Never>?, monitors: MonitorService,
    archive: ModelArchiveService, requests: RequestLane, instances: InstanceLane, peers: PeerReads,
    reports: ProcessReports, retraining: RetrainingRunner, host: String
  ) {
    self.requests = requests
    self.instances = instances
    self.peers = peers
    self.monitors = monitors
    self.archive = archive
    self.reports = reports
    self.retraining = retraining
    self.plan = plan
    self.engine = engine
    self.server = server
    self.features = features
    self.status = status
    self.fetching = fetching
    self.tracing = tracing
    self.host = host
  }

  /// - Parameter workArguments: the flags that say where brokers and tables are, for the processes of retrainings; nil:
  ///   this process leaves policies alone.
  ///
  /// Returns when HTTP is served and the workers run. The server comes first: who asks how the start is going gets an
  /// answer, and an address that is taken costs no rebalance.
  static func start(
    _ plan: Plan, runtime: RuntimeConfiguration, serving: ServingConfiguration,
    peering: Peering = Peering(), registry: SchemaRegistryClient? = nil, reports options: ReportOptions,
    workArguments: [String]?, logger: Logger
  ) async throws -> TopologyProcess {
    ProcessMemory.returnLargeBlocks()
    try SchemaFetching.check(plan, hasRegistry: registry != nil)
    let engine = try Engine(
      plan: plan, configuration: runtime, schemas: registry ?? NoWriterSchemas(), logger: logger)
    let source = EngineFeatureSource(engine, plan)
    let monitors = Self.monitors(engine, runtime, registry, logger)
    let archive = Self.archive(runtime, registry, logger)
    let retraining = RetrainingRunner(
      RetrainingConfiguration(runtime, engine, registry ?? NoWriterSchemas(), arguments: workArguments ?? []),
      logger: logger)
    let reports = try ProcessReports(engine, runtime, options, logger: logger)
    let status = EngineStatusSource(
      engine, monitors: { monitors.status.figures }, drift: { monitors.status.json }, outside: { reports.figures })
    let events = try await KafkaEventSink(client: runtime.client, targets: plan.pushTargets)
    let instance = try InstanceIdentity.load(directory: runtime.dataDirectory)
    let instances = Self.instances(engine, plan, runtime, instance, logger)
    let peers = PeerReads(instances, peering.reads)
    let server = FeatureServer(
      catalog: ServingCatalog(plan), features: source, events: events, status: status,
      models: ServedModels(plan, engine.models),
      registry: RetrainingRegistry(
        engine: EngineRegistrySource(engine), cluster: ClusterRegistry(runtime.client), tables: runtime.tableStore,
        plan: { [weak engine] in engine?.plan }),
      insights: TopologyInsights(runtime.client, tables: runtime.tableStore) { [weak engine] in engine?.plan ?? plan },
      peers: peers, configuration: serving, meters: engine.cost.meters, logger: logger)
    let requests = RequestLane(
      .init(client: runtime.client, topology: plan.name, instance: instance), server: server, logger: logger)
    engine.observePlan { [weak engine] plan in
      guard let engine else { return }
      server.replace(
        catalog: ServingCatalog(plan), features: EngineFeatureSource(engine, plan),
        events: events.aimed(at: plan.pushTargets), models: ServedModels(plan, engine.models))
      monitors.follow(plan)
      archive.follow(plan)
      if workArguments != nil { retraining.follow(plan) }
      do throws(HeadraceError) {
        try requests.follow(RequestEndpoint.all(plan))
      } catch {
        logger.error("requests are not answered", metadata: ["error": "\(error)"])
      }
    }
    do {
      try await server.start()
      let address = try peering.advertised(host: serving.host, port: server.port)
      try await engine.start()
      try instances.start(address: address)
      try monitors.run(engine.plan)
      archive.follow(engine.plan)
      if workArguments != nil { retraining.follow(engine.plan) }
      reports.begin()
    } catch {
      await Self.end(requests, server, retraining, engine, instances, peers, monitors, archive)
      throw error
    }
    return TopologyProcess(
      plan, engine, server, features: source, status: status,
      fetching: registry.map { SchemaFetching.start($0, logger: logger) },
      tracing: engine.spans.map { TraceExport.start($0, runtime.telemetry, logger: logger) }, monitors: monitors,
      archive: archive, requests: requests, instances: instances, peers: peers, reports: reports,
      retraining: retraining, host: serving.host)
  }

  private static func monitors(
    _ engine: Engine, _ runtime: RuntimeConfiguration, _ registry: SchemaRegistryClient?, _ logger: Logger
  ) -> MonitorService {
    var configuration = MonitoringConfiguration(runtime)
    configuration.isStreamBehind = { engine.isBehind }
    return MonitorService(configuration: configuration, schemas: registry ?? NoWriterSchemas(), logger: logger)
  }

  /// What puts predictions and labels into tables.
  private static func archive(
    _ runtime: RuntimeConfiguration, _ registry: SchemaRegistryClient?, _ logger: Logger
  ) -> ModelArchiveService {
    ModelArchiveService(
      .init(
        client: runtime.client, store: runtime.tableStore, freshnessMilliseconds: runtime.tableFreshnessMilliseconds,
        fileBytesMaximum: runtime.tableFileBytesMaximum),
      schemas: registry ?? NoWriterSchemas(), logger: logger)
  }

  /// Which worker has which task, for all workers.
  private static func instances(
    _ engine: Engine, _ plan: Plan, _ runtime: RuntimeConfiguration, _ instance: String, _ logger: Logger
  ) -> InstanceLane {
    InstanceLane(
      .init(
        client: runtime.client, topology: plan.name, instance: instance, replicationFactor: runtime.replicationFactor),
      partitions: { [weak engine] in engine?.partitions ?? [] }, logger: logger)
  }

  /// HOST:PORT of the HTTP server.
  var address: String { host.contains(":") ? "[\(host)]:\(server.port)" : "\(host):\(server.port)" }

  /// Why the work ended by itself; nil while it goes on.
  var failure: HeadraceError? { engine.failure }

  func report() -> EngineReport { status.report() }

  /// Requests under way are answered, partitions given back, the state saved.
  func stop() async {
    await Self.end(requests, server, retraining, engine, instances, peers, monitors, archive)
    await reports.end(failure: engine.failure)
    fetching?.cancel()
    tracing?.cancel()
    await tracing?.value
  }

  /// Ends whatever of these runs: all of them, or as far as a start came that failed.
  private static func end(
    _ requests: RequestLane, _ server: FeatureServer, _ retraining: RetrainingRunner, _ engine: Engine,
    _ instances: InstanceLane, _ peers: PeerReads, _ monitors: MonitorService, _ archive: ModelArchiveService
  ) async {
    await requests.stop()
    await server.stop()
    await retraining.stop()
    await engine.drain()
    await instances.stop()
    await peers.close()
    // Behind the tasks: what they wrote last is seen before the state is saved.
    await monitors.stop()
    await archive.stop()
  }
}

extension Plan {
  fileprivate var pushTargets: [KafkaEventSink.Target] {
    sources.map { KafkaEventSink.Target(topic: $0.topic, partitioner: $0.partitioner) }
  }
}

extension RetrainingConfiguration {
  init(
    _ runtime: RuntimeConfiguration, _ engine: Engine, _ schemas: any WriterSchemas, arguments: [String]
  ) {
    self.init(
      client: runtime.client, dataDirectory: runtime.dataDirectory, tables: runtime.tableStore,
      tableFreshnessMilliseconds: runtime.tableFreshnessMilliseconds, replicationFactor: runtime.replicationFactor,
      arguments: arguments + ["--table-freshness-ms", "\(runtime.tableFreshnessMilliseconds)"],
      schemas: schemas, stream: { [weak engine] in engine?.status() })
  }
}

extension MonitoringConfiguration {
  init(_ runtime: RuntimeConfiguration) {
    self.init(client: runtime.client, dataDirectory: runtime.dataDirectory)
    tableStore = runtime.tableStore
    checkpointIntervalMilliseconds = runtime.checkpointIntervalMilliseconds
    idleAfterMilliseconds = runtime.idleAfterMilliseconds
    replicationFactor = runtime.replicationFactor
  }
}

extension MonitorStatus {
  /// As `/metrics` takes them, in a fixed order.
  fileprivate var figures: [EngineReport.MonitorFigure] {
    var figures: [EngineReport.MonitorFigure] = []
    func add(_ kind: EngineReport.MonitorFigure.Kind, _ values: [Key: Double]) {
      for (key, value) in values.sorted(by: { $0.key < $1.key }) {
        figures.append(
          .init(
            kind: kind, monitor: key.monitor, model: key.model, part: key.feature, figure: key.figure, value: value))
      }
    }
    add(.score, scores)
    add(.quality, performance)
    add(.alarms, alarms.mapValues(Double.init))
    for (monitor, open) in open.sorted(by: { $0.key < $1.key }) {
      for severity in AlarmSeverity.allCases {
        let count = open.lives.count { $0.severity == severity }
        figures.append(
          .init(kind: .open, monitor: monitor, model: open.model, figure: severity.name, value: Double(count)))
      }
    }
    for (monitor, count) in rowCounts.sorted(by: { $0.key < $1.key }) {
      figures.append(.init(kind: .rows, monitor: monitor, value: Double(count)))
    }
    for (monitor, count) in lateCounts.sorted(by: { $0.key < $1.key }) {
      figures.append(.init(kind: .late, monitor: monitor, value: Double(count)))
    }
    return figures
  }
}
