internal import Core
internal import Cost
internal import Features
package import Runtime
internal import Telemetry
internal import Topology

/// How a running engine is doing.
package struct EngineStatusSource: StatusSource {
  private let engine: Engine
  private let clock: WallClock
  private let startedMilliseconds: Int64
  private let monitors: @Sendable () -> [EngineReport.MonitorFigure]
  private let monitorState: @Sendable () -> [UInt8]
  private let outside: @Sendable () -> EngineReport.Outside

  /// - Parameters:
  ///   - monitors: the last figures of the monitors beside the engine.
  ///   - drift: what is open, as JSON.
  ///   - outside: how it goes to tell other systems.
  package init(
    _ engine: Engine, monitors: @escaping @Sendable () -> [EngineReport.MonitorFigure] = { [] },
    drift: @escaping @Sendable () -> [UInt8] = { Array(#"{"monitors":[]}"#.utf8) },
    outside: @escaping @Sendable () -> EngineReport.Outside = { EngineReport.Outside() }
  ) {
    self.engine = engine
    self.monitors = monitors
    monitorState = drift
    self.outside = outside
    clock = .system
    startedMilliseconds = clock.nowMilliseconds
  }

  package func report() -> EngineReport {
    let status = engine.status()
    let now = clock.nowMilliseconds
    var report = EngineReport(
      tasks: status.tasks.map { EngineReport.Task($0, nowMilliseconds: now) },
      sources: zip(status.sources, engine.plan.sources).map { EngineReport.Source($0, topic: $1.topic) },
      startedMilliseconds: startedMilliseconds)
    report.parity = engine.parity?.status
    report.monitors = monitors()
    report.outside = outside()
    report.failure = status.failure
    report.remoteModels = engine.remoteModels
    report.models = EngineReport.Models(
      position: engine.modelPosition, trouble: engine.modelTrouble, models: engine.modelStatus,
      rollouts: engine.rolloutReports)
    report.tables = status.tables.map { table in
      EngineReport.Table(
        name: table.name, waitingRows: table.waitingRows, oldestWaitingMilliseconds: table.oldestWaitingMilliseconds,
        publishedRows: table.publishedRows, failures: table.failures, lastFailure: table.lastFailure)
    }
    report.isStarting = status.partitionCount == nil
    report.stateBytes = Int64(status.tasks.reduce(0) { $0 + $1.memoryBytes })
    report.memoryTableBytes = Int64(status.tasks.reduce(0) { $0 + $1.memoryTableBytes })
    report.blockCacheBytes = Int64(status.blockCacheBytes)
    report.dirtyBytes = Int64(status.tasks.reduce(0) { $0 + $1.dirtyBytes })
    return report
  }
}

extension EngineStatusSource {
  package func drift() -> [UInt8]? { monitorState() }

  package func cost() -> CostReading? {
    let usage = engine.cost.usage(topology: engine.plan.name)
    return CostReading(
      usage: usage, curve: engine.cost.batchSizes.curve, durations: engine.cost.durations, spans: engine.spans?.counts,
      priced: engine.prices.map { CostReport(usage, prices: $0) }, events: engine.costEvents)
  }

  package func usefulness() -> [ModelUsefulness] {
    let (plan, now) = (engine.plan, clock.nowMilliseconds)
    let tasks = engine.status().tasks
    let figures = monitors()
    return plan.models.map { model in
      let topic = plan.sources[model.source].topic
      let lags = tasks.flatMap(\.inputs).filter { $0.topic == topic }.compactMap {
        $0.lagEventTimeMilliseconds(nowMilliseconds: now)
      }
      let ttls = plan.services[model.service].views.compactMap { plan.views[$0].layout.definition.ttlMilliseconds }
      let freshness = UsefulnessBudget(
        name: "event_time_lag_seconds", value: lags.max().map { Double($0) / 1_000 },
        limit: ttls.min().map { Double($0) / 1_000 }, isUpperLimit: true, timeMilliseconds: now,
        evidence: "of \(topic); beyond the shortest ttl of its views values are null")
      return ModelUsefulness(
        model: model.name, version: model.stream?.file?.contentHash, freshness: [freshness],
        drift: budgets(.score, ofModel: model.name, figures), accuracy: budgets(.quality, ofModel: model.name, figures))
    }
  }

  /// The last figures of a model's monitors, and what they may be.
  private func budgets(
    _ kind: EngineReport.MonitorFigure.Kind, ofModel model: String, _ figures: [EngineReport.MonitorFigure]
  ) -> [UsefulnessBudget] {
    let plan = engine.plan
    return figures.flatMap { figure -> [UsefulnessBudget] in
      guard figure.kind == kind, figure.model == model,
        let monitor = plan.monitors.first(where: { $0.name == figure.monitor })
      else { return [] }
      let segment = kind == .quality && !figure.part.isEmpty ? ", \(figure.part)" : ""
      let evidence = "by monitor `\(figure.monitor)`\(segment)"
      if kind == .score {
        let limit = monitor.tests.first { $0.test.rawValue == figure.figure }?.threshold
        return [
          UsefulnessBudget(
            name: "\(figure.figure):\(figure.part)", value: figure.value, limit: limit, isUpperLimit: true,
            evidence: evidence)
        ]
      }
      guard let bounds = monitor.performance.first(where: { $0.metric.rawValue == figure.figure })?.bounds else {
        return []
      }
      let limits = [(bounds.minimum, false), (bounds.maximum, true)]
      return limits.compactMap { limit, isUpper in
        limit.map {
          UsefulnessBudget(
            name: figure.figure, value: figure.value, limit: $0, isUpperLimit: isUpper, evidence: evidence)
        }
      }
    }
  }
}

extension EngineReport.Task {
  fileprivate init(_ task: TaskStatus, nowMilliseconds: Int64) {
    let lags = task.inputs.compactMap { $0.lagEventTimeMilliseconds(nowMilliseconds: nowMilliseconds) }
    let watermarks = task.inputs.compactMap(\.watermarkMilliseconds)
    self.init(
      partition: task.partition, state: State(task.phase), isReadable: task.phase == .running,
      inputs: task.inputs.map { EngineReport.Input($0, partition: task.partition) },
      // Of several inputs the one that is furthest behind tells how far the task is.
      watermarkMilliseconds: watermarks.min(), lagMilliseconds: lags.max(),
      checkpointAgeMilliseconds: task.lastCheckpointAtMilliseconds.map { max(nowMilliseconds &- $0, 0) },
      whyNotMoving: task.whyNotMoving)
    snapshotLagMilliseconds = task.snapshotLagMilliseconds
    snapshotFailure = task.snapshotFailure
    planFingerprint = task.planFingerprint?.description ?? ""
    builds = task.bootstraps.map {
      EngineReport.Build(view: $0.view, position: $0.appliedOffset, target: $0.targetOffset)
    }
  }
}

extension EngineReport.Task.State {
  fileprivate init(_ phase: TaskStatus.Phase) {
    switch phase {
    case .starting: self = .starting
    case .restoring: self = .restoring
    case .running: self = .running
    case .stopped: self = .stopped
    }
  }
}

extension EngineReport.Input {
  fileprivate init(_ input: InputStatus, partition: Int32) {
    self.init(
      topic: input.topic, partition: partition, position: input.appliedOffset, stateOffset: input.savedOffset,
      committedOffset: input.committedOffset, endOffset: input.endOffset)
  }
}

extension EngineReport.Source {
  fileprivate init(_ source: SourceStatus, topic: String) {
    let counts = source.counts
    self.init(
      name: source.name, topic: topic, read: counts.read, applied: counts.applied, repaired: counts.repaired,
      filtered: counts.filtered, deduplicated: counts.deduplicated, late: counts.late,
      deadLettered: counts.deadLettered,
      misplaced: counts.misplaced, withoutEntity: counts.withoutEntity)
  }
}
