package import Contracts
package import Core
package import Cost
internal import Kafka
package import Logging
internal import Registry
internal import Rocks
internal import Synchronization
package import Telemetry
package import Topology

/// Runs a plan in this process: workers that read the topology's topics, tasks that keep its state, and a reader that
/// any thread may ask.
///
/// More processes with the same plan share the partitions: they are members of one consumer group, and that is all
/// there is of a cluster.
package final class Engine: Sendable {
  struct State: Sendable {
    var workers: [WorkerControl] = []
    var isStarted = false
    var isStopping = false
    /// Of the plan that runs, in the control topic.
    var planVersion: Int64 = 0
    /// Told of every plan that is about to run.
    var planObserver: (@Sendable (Plan) -> Void)?
    /// Room on the disk of the data directory.
    var reserve: DiskReserve?
    /// What scores the events of the plan that runs, or is about to.
    var models: ModelEpochs?
    /// Why the newest versions of models are not taken; nil while they are.
    var modelTrouble: String?
    /// When to try again to take them, by the monotonic clock.
    var modelRetryAtMilliseconds: Int64 = 0
    /// What the registry says, as far as it was read.
    var registry = RegistryState()
    /// The copy of the registry's log on this machine's disk; nil before it is there.
    var registryCopy: RegistryDatabase?
    /// When to try again to write the copy, by the monotonic clock.
    var copyRetryAtMilliseconds: Int64 = 0
  }

  let configuration: RuntimeConfiguration
  let schemas: any WriterSchemas
  let logger: Logger
  private let clock: WallClock
  let board: TaskBoard
  let state = Mutex(State())
  private let blockCache: BlockCache
  private let thread: BlockingThread
  /// nil: there are no tables.
  let tables: TableLane?
  /// nil: no snapshots are taken.
  private let snapshots: SnapshotLane?
  let library: ModelLibrary
  let scoringNotes = ScoringNotes()
  /// What the rollouts under way have come to.
  let rollouts = RolloutWatch()
  /// nil: what is served is not sampled.
  package let parity: ParityLane?
  /// What this process used.
  package let cost: CostAccount
  /// Spans for the exporter; nil: nothing is traced.
  package let spans: SpanQueue?
  private let costLane = Mutex<CostLane?>(nil)
  /// nil: nobody says what anything costs.
  private let predictionCosts: PredictionCosts?

  /// - Parameters:
  ///   - schemas: of writers, for sources in Confluent's framing.
  ///   - clock: the wall clock, for reads and reports alone.
  package init(
    plan: Plan, configuration: RuntimeConfiguration, schemas: any WriterSchemas = NoWriterSchemas(), logger: Logger,
    clock: WallClock = .system
  ) throws(HeadraceError) {
    cost = CostAccount(dataDirectory: configuration.dataDirectory, clock: clock)
    predictionCosts = configuration.prices.map(PredictionCosts.init)
    var configuration = configuration
    configuration.tableStore = configuration.tableStore.map { [cost] in MeteredBlobStore($0, cost.meters) }
    self.configuration = configuration
    self.schemas = schemas
    self.logger = logger
    self.clock = clock
    board = TaskBoard(plan: plan)
    library = ModelLibrary(dataDirectory: configuration.dataDirectory, shared: configuration.tableStore, logger: logger)
    let models = try ModelEpochs(plan, RegistryState(), library)
    state.withLock { $0.models = models }
    blockCache = BlockCache(capacityBytes: configuration.blockCacheBytes)
    thread = try BlockingThread(name: "engine")
    tables = configuration.tableStore.map { TableLane($0, configuration, clock: clock, logger: logger) }
    if let store = configuration.snapshotStore {
      snapshots = try SnapshotLane(store, configuration, topology: plan.name, clock: clock, logger: logger)
    } else {
      snapshots = nil
    }
    spans =
      configuration.telemetry.tracesURL == nil ? nil : SpanQueue(capacity: configuration.telemetry.queueCapacity)
    parity =
      configuration.paritySamplesPerSecond > 0
      ? configuration.tableStore.map { ParityLane($0, configuration, clock: clock, logger: logger) } : nil
  }

  /// How many vectors a second are sampled of each service.
  package var paritySamplesPerSecond: Int { parity == nil ? 0 : configuration.paritySamplesPerSecond }

  /// What its use of resources is priced by; nil when nobody said.
  package var prices: PriceBook? { configuration.prices }

  /// What runs.
  package var plan: Plan { board.plan }

  /// Reads the features of the plan that runs.
  package var reader: FeatureReader { reader(of: board.plan) }

  /// Reads the features of a plan, as far as the plan that runs has them too.
  package func reader(of plan: Plan) -> FeatureReader { FeatureReader(plan: plan, board: board, clock: clock) }

  /// The models of the plan that runs, or is about to.
  package var models: ModelSet { epochs?.newest.champions ?? ModelSet(versions: []) }

  var epochs: ModelEpochs? { state.withLock { $0.models } }

  /// Calls `observer` with every plan that takes the place of the one before it, just before its tasks go over to it.
  package func observePlan(_ observer: @escaping @Sendable (Plan) -> Void) {
    state.withLock { $0.planObserver = observer }
  }

  /// Makes the topics that are ours, checks those that are not, and starts the workers.
  ///
  /// Returns when the workers run; tasks become readable one after the other (`status`).
  ///
  /// - Throws: when a topic is missing, when topics differ in their number of partitions, when the data directory
  ///   cannot be written, when the cluster runs another plan.
  package func start() async throws {
    guard state.withLock({ !$0.isStarted }) else { return }
    let context = try await thread.run { [self] in
      // Before the plan is put in force.
      try configuration.prices?.check(board.plan, followsControlTopic: configuration.followsControlTopic)
      try reserveDisk()
      let registry = configuration.followsControlTopic ? try agreeOnPlan() : RegistryState()
      return try prepare(board.plan, registry)
    }
    state.withLock { $0.planObserver }?(board.plan)
    let instanceID = try InstanceIdentity.load(directory: configuration.dataDirectory)
    for index in 0..<max(configuration.workers, 1) {
      let control = WorkerControl()
      state.withLock { state in
        state.workers.append(control)
        state.isStarted = true
      }
      try BlockingThread.start(name: "worker-\(index)") {
        Worker(index, context, instanceID: instanceID, control: control).run()
      }
    }
    if let tables { try BlockingThread.start(name: "tables") { tables.run() } }
    if let parity { try BlockingThread.start(name: "parity") { parity.run() } }
    try startCostLane()
    try BlockingThread.start(name: "log-ends") { [weak self] in Self.followEnds { self } }
    try BlockingThread.start(name: "clock") { [weak self] in ClockWatch.follow { self } }
    guard configuration.followsControlTopic else { return }
    try BlockingThread.start(name: "control") { [weak self] in Self.followControl { self } }
    try BlockingThread.start(name: "rollouts") { [weak self] in Self.watchRollouts { self } }
  }

  private func startCostLane() throws(HeadraceError) {
    let remoteUsage = RemoteUsage(cost.meters)
    let lane = CostLane(cost, configuration, predictionCosts, clock: clock, logger: logger) { [weak self] in
      self.map { remoteUsage.note($0.remoteModels) }
    } held: { [weak self] in
      self.map { engine in
        let held = HeldBytes(
          dataDirectory: engine.configuration.dataDirectory, topology: engine.plan.name,
          stores: engine.board.tasks.map(\.store), status: engine.status())
        return (engine.plan.name, held.readings)
      }
    } act: { [weak self] event in
      self?.act(on: event)
    } sample: { [weak self] wanted in
      self?.sample(wanted)
    }
    costLane.withLock { $0 = lane }
    try BlockingThread.start(name: "cost") { lane.run() }
  }

  /// Budgets that are, or will be, exceeded, and what stood out; the newest last.
  package var costEvents: [CostEvent] { costLane.withLock { $0 }?.events ?? [] }

  private func reserveDisk() throws(HeadraceError) {
    let reserve = try DiskReserve(
      folder: configuration.dataDirectory, sizeBytes: configuration.diskReserveBytes,
      floorBytes: configuration.diskReserveBytes)
    state.withLock { $0.reserve = reserve }
  }

  func prepare(_ plan: Plan, _ registry: RegistryState) throws(HeadraceError) -> TaskContext {
    let admin = try Admin(configuration.client)
    let preparation = TopicPreparation(plan: plan, configuration: configuration, logger: logger)
    let models = try ModelEpochs(plan, registry, library)
    let count = try preparation.run(admin)
    try preparation.makeShadowTopics(models.newest, admin, count: count)
    if let trouble = models.trouble {
      logger.error("former versions of models score", metadata: ["error": "\(trouble)"])
    }
    state.withLock { state in
      state.models = models
      state.modelTrouble = models.trouble?.description
    }
    board.set(partitionCount: count)
    cost.tenants.take(plan)
    return TaskContext(
      plan: plan, inputs: InputPlan.all(of: plan), partitionCount: count,
      rejectedRecordBytesMaximum: try preparation.rejectedRecordBytesMaximum(admin), configuration: configuration,
      board: board, schemas: schemas, logger: logger, blockCache: blockCache, reserve: state.withLock { $0.reserve },
      tables: tables, snapshots: snapshots, clock: clock, models: models, scoringNotes: scoringNotes, cost: cost,
      spans: spans,
      predictions: PredictionWriter.Setting(schemaIDs: try registerSchemas(of: plan), costs: predictionCosts))
  }

  /// Commits, saves and closes everything, and leaves the group: what SIGTERM asks for. Calling it again waits with the
  /// first call.
  package func drain() async {
    let workers = state.withLock { state in
      state.isStopping = true
      return state.workers
    }
    for worker in workers { worker.stop() }
    _ = try? await thread.run {
      for worker in workers { while !worker.waitForEnd(timeoutMilliseconds: 1_000) {} }
      self.tables?.drain()
      self.snapshots?.drain()
      self.parity?.drain()
      self.costLane.withLock { $0 }?.drain()
    }
  }

  /// Ends as a crash would, without the death of the process: for tests.
  package func abandon() async {
    for worker in state.withLock({ $0.workers }) { worker.abandon() }
    await drain()
  }

  /// The numbers of the tasks that are in this process now, rising; not all of them need be readable yet.
  package var partitions: [Int32] { board.tasks.map(\.partition) }

  /// Whether a task is in this process now.
  package func hasTask(_ partition: Int32) -> Bool { board.task(partition) != nil }

  /// Why the workers do not run any more; nil while they do.
  package var failure: HeadraceError? { board.failure }

  package func status() -> EngineStatus {
    let ends = board.ends
    var tasks = board.tasks.map(\.status)
    for task in tasks.indices {
      for input in tasks[task].inputs.indices {
        let partition = TopicPartition(topic: tasks[task].inputs[input].topic, partition: tasks[task].partition)
        guard let end = ends[partition] else { continue }
        tasks[task].inputs[input].endOffset = max(end, tasks[task].inputs[input].appliedOffset)
      }
    }
    let plan = board.plan
    let sources = plan.sources.map { source in
      let counts = tasks.lazy.flatMap(\.inputs).flatMap(\.sources).filter { $0.name == source.name }.map(\.counts)
      return SourceStatus(name: source.name, counts: counts.reduce(OutcomeCounts(), +))
    }
    return EngineStatus(
      planFingerprint: plan.fingerprint, tasks: tasks, partitionCount: board.partitionCount,
      failure: board.failure?.description, sources: sources, blockCacheBytes: blockCache.usedBytes,
      tables: tables?.status ?? [])
  }

  /// Waits until the record at `offset` of a source's topic is visible to reads: read your write.
  ///
  /// Rows of repartitioned views follow with the next commit, and are not waited for.
  ///
  /// - Returns: false when the time is over, or its task is not in this process.
  package func wait(for partition: TopicPartition, offset: Int64, timeoutMilliseconds: Int64) async -> Bool {
    let deadline = WallClock.monotonic.nowMilliseconds + timeoutMilliseconds
    // A task that is about to come is waited for, too.
    while board.task(partition.partition) == nil, WallClock.monotonic.nowMilliseconds < deadline {
      do { try await Task.sleep(for: .milliseconds(10)) } catch { return false }
    }
    guard let task = board.task(partition.partition) else { return false }
    return await withCheckedContinuation { continuation in
      task.wait(
        for: .init(
          topic: partition.topic, offset: offset,
          deadlineMilliseconds: deadline,
          resume: { continuation.resume(returning: $0) }))
    }
  }
}
