internal import Core
internal import Lineage
internal import Registry

/// Lineage of training: what the registry's log says of runs and retrainings, as runs of jobs.
///
/// A view of the log with an offset of its own, which is kept beside the copy of the log. The same record always gives
/// the same event, so that two processes that tell it tell one story.
struct RegistryLineage {
  private static let view = "openlineage"
  private static let pageRecords = 200

  private let database: RegistryDatabase
  private let namespace: String
  private var state = RegistryState()
  private var isBegun = false

  init(_ database: RegistryDatabase, namespace: String) {
    self.database = database
    self.namespace = namespace
  }

  /// Hands the events of the next records on.
  mutating func step(_ offer: (LineageEvent) -> Void) throws(HeadraceError) {
    if !isBegun { try begin() }
    let records = try database.records(after: state.offset, countMax: Self.pageRecords)
    guard !records.isEmpty else { return }
    for record in records {
      let (command, outcome) = state.follow(record)
      guard let command, outcome == RegistryOutcome.applied.code else { continue }
      if let event = event(command, atMilliseconds: record.timeMilliseconds) { offer(event) }
    }
    try database.setPosition(of: Self.view, state.offset)
  }

  private mutating func begin() throws(HeadraceError) {
    let position = try database.position(of: Self.view)
    while state.offset < position {
      let page = try database.records(after: state.offset).filter { $0.offset <= position }
      guard !page.isEmpty else { break }
      for record in page { _ = state.follow(record) }
    }
    isBegun = true
  }

  /// `state` is the one behind the command.
  private func event(_ command: RegistryCommand, atMilliseconds time: Int64) -> LineageEvent? {
    switch command.change {
    case .startRun(let run): return event(.start, run, atMilliseconds: time)
    case .finishRun(let id, let result):
      guard let run = state.runs[id]?.run else { return nil }
      let kind: LineageEvent.Kind =
        switch result.status {
        case .finished: .complete
        case .failed: .fail
        case .cancelled: .abort
        }
      var event = event(kind, run, atMilliseconds: time)
      event.errorMessage = result.status == .failed ? result.error ?? "the run failed" : nil
      for metric in result.metrics {
        event.notes.append(.init(name: "metric.\(metric.name)", value: "\(metric.value)"))
      }
      return event
    case .openRetraining(let retraining): return event(.start, retraining, note: "", atMilliseconds: time)
    case .advanceRetraining(let id, _, let step, let note, _):
      guard let retraining = state.retrainings[id]?.retraining else { return nil }
      let kind: LineageEvent.Kind =
        switch step {
        case .done: .complete
        case .refused: .abort
        case .stopped: .fail
        default: .running
        }
      var event = event(kind, retraining, note: note, atMilliseconds: time)
      event.notes.append(.init(name: "step", value: step.rawValue))
      return event
    default: return nil
    }
  }

  private func event(_ kind: LineageEvent.Kind, _ run: TrainingRun, atMilliseconds time: Int64) -> LineageEvent {
    var inputs: [LineageDataset] = []
    if !run.origin.datasetPlace.isEmpty {
      inputs.append(.place(run.origin.datasetPlace, version: run.origin.datasetManifestHash))
    }
    return LineageEvent(
      kind, timeMilliseconds: time, job: LineageJob(namespace: namespace, name: "train.\(run.model)", kind: .training),
      runID: LineageRunID(named: "run \(run.id)"), inputs: inputs, outputs: [.model(run.model)],
      notes: [
        .init(name: "run", value: run.id), .init(name: "experiment", value: run.experiment),
        .init(name: "trainer", value: run.trainer), .init(name: "service", value: run.origin.serviceName),
        .init(name: "code", value: run.origin.codeRevision),
      ])
  }

  private func event(
    _ kind: LineageEvent.Kind, _ retraining: Retraining, note: String, atMilliseconds time: Int64
  ) -> LineageEvent {
    LineageEvent(
      kind, timeMilliseconds: time,
      job: LineageJob(namespace: namespace, name: "retrain.\(retraining.policy)", kind: .retraining),
      runID: LineageRunID(named: "retraining \(retraining.id)"), outputs: [.model(retraining.model)],
      errorMessage: kind == .fail ? note : nil,
      notes: [.init(name: "retraining", value: retraining.id), .init(name: "note", value: note)])
  }
}
