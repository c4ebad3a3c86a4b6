internal import Contracts
internal import Core
internal import Lineage
internal import OfflineStore
internal import Topology

/// What a process that does the work of a topology says of it: one run of one job, from its start to its drain.
struct StreamLineage: Sendable {
  private let runID = LineageRunID()
  private let job: LineageJob
  private let bootstrapServers: String
  /// Where tables are; nil: there are none.
  private let tablesPlace: String?

  init(_ plan: Plan, namespace: String, bootstrapServers: String, tablesPlace: String?) {
    job = LineageJob(namespace: namespace, name: plan.name, kind: .topology)
    self.bootstrapServers = bootstrapServers
    self.tablesPlace = tablesPlace
  }

  /// - Parameters:
  ///   - plan: the one that runs now: it may be another one than at the start.
  ///   - partitions: the tasks of this process.
  func event(
    _ kind: LineageEvent.Kind, _ plan: Plan, partitions: [Int32], error: String? = nil, nowMilliseconds: Int64
  ) -> LineageEvent {
    LineageEvent(
      kind, timeMilliseconds: nowMilliseconds, job: job, runID: runID, inputs: inputs(plan), outputs: outputs(plan),
      errorMessage: error,
      notes: [
        .init(name: "plan", value: plan.fingerprint.description),
        .init(name: "partitions", value: partitions.sorted().map { "\($0)" }.joined(separator: ",")),
      ])
  }

  private func inputs(_ plan: Plan) -> [LineageDataset] {
    plan.sources.map { source in
      .topic(
        source.topic, bootstrapServers: bootstrapServers,
        fields: source.contract.fields.map { .init(name: $0.path, type: "\($0.type)") })
    }
  }

  private func outputs(_ plan: Plan) -> [LineageDataset] {
    var outputs = plan.models.filter { $0.stream != nil }.map { model in
      LineageDataset.topic(model.outputTopic, bootstrapServers: bootstrapServers)
    }
    guard let tablesPlace else { return outputs }
    for source in plan.sources where source.isArchived {
      outputs.append(
        .place(
          tablesPlace, below: EventArchive.name(source: source.name),
          fields: source.contract.fields.map { .init(name: $0.path, type: "\($0.type)") }))
    }
    for view in plan.views where view.history != .off {
      outputs.append(
        .place(
          tablesPlace, below: FeatureHistory.name(view: view.name),
          fields: view.features.map { .init(name: $0.name, type: "\($0.type)") }))
    }
    return outputs
  }
}
