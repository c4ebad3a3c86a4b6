internal import Core
internal import Inference
internal import Kafka
internal import Logging
internal import Monitoring
internal import OfflineStore
internal import Registry
internal import Runtime
internal import Storage
internal import Topology

/// One run of the loop: events slice by slice, and between the slices what follows from them. Lives on one thread that
/// may block.
///
/// Everything is decided between slices, when nothing is under way (`LoopBarrier`): on which events a model learns, and
/// from which offset on which version scores. So a seed gives the same figures in every run.
final class LoopRun {
  struct Setting: Sendable {
    var scenario: LoopScenario
    var seed: UInt64
    var client: ClientConfiguration
    var runtime: RuntimeConfiguration
    /// All that the run keeps.
    var folder: String
    var store: any BlobStore
    /// Of flights.
    var eventsFolder: String
    var stop: StopRequest
    var logger: Logger
  }

  private let setting: Setting
  private let process: TopologyProcess
  private let feed: any LoopFeed
  private let retraining: LoopRetraining
  private let barrier: LoopBarrier
  private let sink: LoopSink
  private let model: Int
  private let started = WallClock.monotonic.nowMilliseconds
  private var moments: [LoopResult.Moment] = []
  private var progress = ProgressLine(nowMilliseconds: WallClock.monotonic.nowMilliseconds)
  private static let lineMilliseconds: Int64 = 5_000
  private var lineAtMilliseconds = WallClock.monotonic.nowMilliseconds
  /// What answers now.
  private var served: Int?

  init(_ setting: Setting, _ process: TopologyProcess) throws {
    self.setting = setting
    self.process = process
    feed =
      switch setting.scenario.name {
      case .payments: LoopPayments(setting.scenario, seed: setting.seed)
      case .flights: try LoopFlights(setting.scenario, folder: setting.eventsFolder)
      }
    guard let policy = process.plan.policies.first, let model = process.plan.models.indices.first else {
      throw HeadraceError(.user, "NO_POLICY", "the topology has no policy", place: process.plan.name)
    }
    self.model = model
    barrier = try LoopBarrier(process, setting.client, setting.stop)
    retraining = try LoopRetraining(process, policy, setting, barrier)
    sink = try LoopSink(setting.client, partitionCount: 1)
  }

  func run() throws -> (LoopResult, DriftHistory) {
    defer {
      sink.close()
      retraining.close()
      barrier.close()
    }
    let ends = setting.scenario.sliceEnds
    for end in ends {
      if let status = setting.stop.status { throw Ended(status: status) }
      try feed.append(before: end, to: sink)
      if end == ends.last { try feed.appendRest(to: sink) }
      try sink.flush()
      try barrier.waitForEvents()
      if end == setting.scenario.firstModelAt { try retraining.trainFirst(at: end) }
      if end > setting.scenario.firstModelAt { try retraining.settle() }
      note(try barrier.waitForModels(), at: end)
      draw(upTo: end)
    }
    // What was decided last may have been told behind the last slice.
    try barrier.waitForEvents()
    clearProgress()
    return try result()
  }

  private func note(_ registry: RegistryState, at time: Int64) {
    let name = process.plan.models[model].use?.model ?? ""
    guard let version = registry[name]?.aliases[RegisteredAlias.champion]?.version, version != served else { return }
    moments.append(
      .init(
        timeMilliseconds: time,
        text: served == nil ? "version \(version) answers: the first model" : "version \(version) promoted",
        isPromotion: served != nil))
    served = version
    clearProgress()
    if let last = moments.last { StandardError.write("\(LoopScenario.day(time)): \(last.text)") }
  }

  private func result() throws -> (LoopResult, DriftHistory) {
    let plan = process.plan
    let predictions = try LabelledPredictions(plan, model: model, setting.client)
    let registry = try barrier.waitForModels()
    let frozen = try frozenScores(of: predictions, registry)
    let name = plan.models[model].name
    let table = try TableColumns(setting.store, name: "\(ResultTable.folder)/\(name)")
    let history = try DriftHistory(model: name, table, range: Int64.min..<Int64.max)
    let all = moments + retraining.moments(registry) + Self.moments(history)
    let result = LoopResult(
      scenario: setting.scenario, seed: setting.seed,
      figures: LoopFigures(predictions, frozen: frozen, setting.scenario), events: sink.eventCount,
      predictions: predictions.count, driftAlarms: history.alarms.count(where: \.isRinging),
      retrainings: retraining.count(registry), promotions: moments.count(where: \.isPromotion),
      moments: all.enumerated().sorted {
        ($0.element.timeMilliseconds, $0.offset) < ($1.element.timeMilliseconds, $1.offset)
      }.map(\.element), milliseconds: WallClock.monotonic.nowMilliseconds - started)
    return (result, history)
  }

  /// What the first version says of each vector that was recorded.
  private func frozenScores(of predictions: LabelledPredictions, _ registry: RegistryState) throws -> [Double] {
    let name = process.plan.models[model].use?.model ?? ""
    guard let first = registry[name]?.aliases[RegisteredAlias.champion]?.history.first?.version,
      let version = registry[name]?[first]
    else {
      throw HeadraceError(.internal, "NO_FIRST_MODEL", "no version ever answered", place: name)
    }
    let place = try BlobName("models/\(version.contentHash)")
    guard let bytes = try setting.store.read(place, bytesMax: 1 << 30) else {
      throw HeadraceError(
        .external, "MODEL_FILE_MISSING", "the first model's file is gone", place: "\(setting.store.place)/\(place)")
    }
    let weights = process.plan.models[model].stream?.weights ?? .float32
    let compiled = try CompiledModel(Model(bytes, place: name), options: CompileOptions(weights: weights))
    var scorer = compiled.makeScorer()
    var scores = [Double](repeating: 0, count: predictions.count)
    scorer.score(predictions.vectors, rowCount: predictions.count, into: &scores)
    return scores
  }

  /// A line for each window with alarms.
  private static func moments(_ history: DriftHistory) -> [LoopResult.Moment] {
    let ringing = Dictionary(grouping: history.alarms.filter(\.isRinging), by: \.endMilliseconds)
    return ringing.map { end, alarms in
      let features = alarms.map { "\($0.feature) (\($0.test) \(Figures.fixed($0.value, 2)))" }.sorted()
      let cause = alarms.compactMap(\.cause).first ?? ""
      return .init(timeMilliseconds: end, text: "drift alarm: \(features.joined(separator: ", ")); cause \(cause)")
    }
  }

  private func draw(upTo end: Int64) {
    guard StandardError.isTerminal else {
      let now = WallClock.monotonic.nowMilliseconds
      guard now - lineAtMilliseconds >= Self.lineMilliseconds else { return }
      lineAtMilliseconds = now
      return StandardError.write("\(LoopScenario.day(end)): \(Figures.grouped(Int(sink.eventCount))) events")
    }
    let range = setting.scenario.range
    let fraction = Double(end - range.lowerBound) / Double(range.upperBound - range.lowerBound)
    guard
      let line = progress.draw(
        records: Int(sink.eventCount), fraction: fraction, label: LoopScenario.day(end),
        columns: StandardError.columns, nowMilliseconds: WallClock.monotonic.nowMilliseconds)
    else { return }
    StandardError.write("\r\u{1b}[K\(line)", terminator: "")
  }

  private func clearProgress() {
    if StandardError.isTerminal { StandardError.write("\r\u{1b}[K", terminator: "") }
  }
}
