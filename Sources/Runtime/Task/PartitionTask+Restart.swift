internal import Contracts
internal import Core
internal import Kafka
internal import Logging
internal import OnlineStore
internal import Rocks
internal import Topology

// Restart: the one way into work, for a first start, a crash, an unclear commit, a move and a lost disk.

extension PartitionTask {
  /// Opens the state and asks for S, unless it is to wait after a failure.
  func openState() {
    let now = WallClock.monotonic.nowMilliseconds
    if let retryAtMilliseconds, retryAtMilliseconds > now { return }
    retryAtMilliseconds = nil
    do throws(HeadraceError) {
      let ends = try consumer.watermarks(partitions)
      logs = ends
      try restoreMissingState(ends)
      var store = try reopenedStore()
      var record = try checkpointRecord(of: store)
      if let found = record, try restoreOvertakenState(found, ends) {
        store = try reopenedStore()
        record = try checkpointRecord(of: store)
      }
      try openSpool(record, ends)
      inputs = try makeInputs(store, record)
      makePublication(store)
      var opened: [TaskProtocol.Opened] = []
      for input in inputs {
        guard let log = ends[input.partition] else {
          throw HeadraceError(.unknownTopicOrPartition, "the log has no such partition", place: "\(input.partition)")
        }
        input.endOffset = log.end
        let saved = record?.inputs.first { $0.topic == input.plan.topic }?.nextOffset
        opened.append(.init(saved: saved, log: reachableLog(input, log, saved: saved)))
      }
      follow(.opened(opened))
    } catch {
      restarts += 1
      whyNotMoving = error.description
      logger.warning("state cannot be opened", metadata: ["error": "\(error)"])
      backOff()
      publishStatus()
    }
  }

  func checkpointRecord(of store: TaskStore) throws(HeadraceError) -> CheckpointRecord? {
    try store.loadMeta().map { bytes throws(HeadraceError) in
      unsafe try CheckpointRecord(decoding: bytes.span.bytes, place: statePath)
    }
  }

  private func reopenedStore() throws(HeadraceError) -> TaskStore {
    if isStoreFinished {
      closeStore()
      isStoreFinished = false
    }
    if let store { return store }
    var options = StoreOptions()
    options.memoryBudgetBytes = memoryBudgetBytes
    options.blockCache = context.blockCache
    options.reserve = context.reserve
    try Folders.make(statePath)
    do throws(HeadraceError) {
      let opened = try TaskStore(path: statePath, options: options)
      store = opened
      return opened
    } catch {
      guard error.isCorruption else { throw error }
      // Damaged state is never read again: what it held comes from the log.
      let aside = try TaskStore.moveAside(statePath)
      logger.error("damaged state was moved aside", metadata: ["to": "\(aside)", "error": "\(error)"])
      let opened = try TaskStore(path: statePath, options: options)
      store = opened
      return opened
    }
  }

  /// Inputs and bootstraps at S.
  func makeInputs(_ store: TaskStore, _ record: CheckpointRecord?) throws(HeadraceError) -> [TaskInput] {
    var inputs: [TaskInput] = []
    namespaces = []
    bootstraps = []
    dedupeNames = []
    hasDroppedForgotten = false
    sentWatermarks = [:]
    for plan in context.inputs {
      let partition = TopicPartition(topic: plan.topic, partition: number)
      let saved = record?.inputs.first { $0.topic == plan.topic }
      var sources: [SourcePipeline] = []
      var deltas: DeltaInput?
      switch plan.role {
      case .sources(let indexes):
        for index in indexes { sources.append(try makeSource(store, index, partition, saved, record)) }
      case .deltas(let view):
        let input = DeltaInput(
          view: context.plan.views[view], storeView: try namespace(of: context.plan.views[view], in: store).view,
          store: store, partitionCount: context.partitionCount,
          record: saved ?? CheckpointRecord.InputRecord(topic: plan.topic, nextOffset: 0))
        input.history = try history(
          of: input.view, storeView: input.storeView, store, partition, watermark: input.settledWatermark)
        deltas = input
      }
      inputs.append(
        TaskInput(
          plan: plan, partition: partition, sources: sources, deltas: deltas, witness: saved?.witness,
          isWithoutDigest: saved != nil && saved?.witness == nil))
    }
    return inputs
  }

  /// A view's rows are its own as long as everything that decides them is the same.
  private func namespace(of view: ViewPlan, in store: TaskStore) throws(HeadraceError) -> ViewNamespace {
    let namespace = try store.namespace(for: view.layout, source: view.fingerprint.description)
    namespaces.insert(namespace.id)
    return namespace
  }

  /// A source with its views; those that are new to a state which is ahead of them are built beside it.
  private func makeSource(
    _ store: TaskStore, _ index: Int, _ partition: TopicPartition, _ saved: CheckpointRecord.InputRecord?,
    _ record: CheckpointRecord?
  ) throws(HeadraceError) -> SourcePipeline {
    let name = context.plan.sources[index].name
    if record != nil, saved == nil { try forgetSource(store, index) }
    var views: [(view: Int, storeView: Int?)] = []
    for (position, view) in context.plan.views.enumerated() where view.source == index {
      let isBuilt = saved == nil || record?.views.contains(view.fingerprint.value) ?? true
      if view.isRepartitioned {
        guard isBuilt else { throw Self.cannotBuild(view) }
        views.append((position, nil))
        continue
      }
      if isBuilt {
        views.append((position, try namespace(of: view, in: store).view))
      } else {
        bootstraps.append(try makeBootstrap(store, index, partition, position, record))
      }
    }
    let pipeline = try makePipeline(
      store, index, partition, views, saved?.sources.first { $0.source == name }, dedupeName: name)
    pipeline.archive = archiveTarget(ofSource: index)
    pipeline.modelStage = modelStage(ofSource: index)
    pipeline.meters = PipelineMeters(
      instruments, context.plan, source: context.plan.sources[index], context.cost.tenants)
    return pipeline
  }

  /// A source that comes again after a plan without it is read from the beginning: what is left of it goes.
  private func forgetSource(_ store: TaskStore, _ index: Int) throws(HeadraceError) {
    for view in context.plan.views where view.source == index && !view.isRepartitioned {
      try store.dropNamespace(try namespace(of: view, in: store).id)
    }
    try store.dropDedupeTable(source: context.plan.sources[index].name)
  }

  private func makeBootstrap(
    _ store: TaskStore, _ index: Int, _ partition: TopicPartition, _ position: Int, _ record: CheckpointRecord?
  ) throws(HeadraceError) -> ViewBootstrap {
    let view = context.plan.views[position]
    let dedupeName = "\(context.plan.sources[index].name)#\(view.fingerprint)"
    let saved = record?.bootstraps.first { $0.fingerprint == view.fingerprint.value }?.input
    if saved == nil {
      // Rows and ids of a view that was removed and comes again may be here still: it begins with nothing.
      try store.dropNamespace(try namespace(of: view, in: store).id)
      try store.dropDedupeTable(source: dedupeName)
    }
    let storeView = try namespace(of: view, in: store).view
    let pipeline = try makePipeline(
      store, index, partition, [(position, storeView)], saved?.sources.first, dedupeName: dedupeName)
    return ViewBootstrap(
      view: position, storeView: storeView, plan: view, pipeline: pipeline, dedupeName: dedupeName,
      position: saved?.nextOffset ?? 0, context: context)
  }

  private func makePipeline(
    _ store: TaskStore, _ index: Int, _ partition: TopicPartition, _ views: [(view: Int, storeView: Int?)],
    _ record: CheckpointRecord.SourceRecord?, dedupeName: String
  ) throws(HeadraceError) -> SourcePipeline {
    dedupeNames.insert(dedupeName)
    let pipeline = try SourcePipeline(
      plan: context.plan, source: index, partition: partition, partitionCount: context.partitionCount, store: store,
      views: views, record: record ?? .init(source: context.plan.sources[index].name), dedupeName: dedupeName,
      schemas: context.schemas)
    try attachHistories(to: pipeline)
    return pipeline
  }

  private static func cannotBuild(_ view: ViewPlan) -> HeadraceError {
    HeadraceError(
      .user, "REPARTITIONED_VIEW_ADDED", "the view is repartitioned, and the topology has read on without it",
      place: view.name,
      remedy: "give the topology another name, so that it reads its topics from the beginning, and switch readers over "
        + "when it has caught up")
  }

  /// What Kafka decided, now that nobody else can decide anything more.
  func readCommitted() {
    do throws(HeadraceError) {
      let committed = try consumer.committed(partitions)
      for input in inputs {
        input.committedMetadata = committed[input.partition]?.metadata.flatMap { CommitMetadata($0) }
      }
      try takeCommittedEpoch()
      follow(.committedRead(try deriveMissing(inputs.map { committed[$0.partition]?.offset })))
    } catch {
      pendingFailure = error
    }
  }

  /// C where the group has none: from the task's own outputs, if there are any, and if these can tell.
  private func deriveMissing(_ committed: [Int64?]) throws(HeadraceError) -> [Int64?] {
    let lost = Set(committed.indices.filter { committed[$0] == nil })
    guard !lost.isEmpty, !context.configuration.acceptances.stateOffset else { return committed }
    let derived = try OutputEvidence(task: number, context: context)
      .committed(lost: lost, saved: machine.inputs.map(\.saved))
    var offsets = committed
    for index in offsets.indices where offsets[index] == nil {
      guard let offset = derived[index] else { continue }
      logger.warning(
        "the group has lost its offset: taken from the task's committed outputs",
        metadata: ["partition": "\(inputs[index].partition)", "offset": "\(offset)"])
      offsets[index] = offset
      owesCommit = true
    }
    return offsets
  }

  func read(from offsets: [Int64]) {
    startOffsets = offsets
    beginEpoch()
    do throws(HeadraceError) {
      for (index, input) in inputs.enumerated() {
        guard let log = logs[input.partition] else { continue }
        if let start = try startFromArchive(input, at: offsets[index], log: log) { startOffsets[index] = start }
      }
    } catch {
      pendingFailure = error
      return
    }
    for (index, input) in inputs.enumerated() where input.archive == nil {
      // One record earlier, if it is there, to see whether the log is still the one that the state knows.
      guard let witness = input.expectedWitness, witness.offset < offsets[index] else { continue }
      if witness.offset >= machine.inputs[index].log.beginning { startOffsets[index] = witness.offset }
    }
    guard isAssigned else { return }
    do throws(HeadraceError) {
      for (index, input) in inputs.enumerated() { try consumer.seek(input.partition, to: startOffsets[index]) }
    } catch {
      pendingFailure = error
    }
    publish()
  }

  /// Waits until the task reads, or a person has to decide.
  ///
  /// - Throws: when the time is over.
  func waitUntilStarted(deadlineMilliseconds: Int64) throws(HeadraceError) {
    while true {
      if let error = pendingFailure { fail(error) }
      switch machine.phase {
      case .running, .stopped, .closed: return
      case .new:
        openState()
        if machine.phase == .new { Sleep.milliseconds(20) }
      case .fencing:
        if let report = lane?.wait(timeoutMilliseconds: 100) { hear(report) }
      case .reading: readCommitted()
      }
      guard WallClock.monotonic.nowMilliseconds < deadlineMilliseconds else {
        throw HeadraceError(
          .external, "TASK_START", "the task did not start in time: \(whyNotMoving ?? "\(machine.phase)")",
          retry: .sameCall, place: "task \(number)")
      }
    }
  }
}
