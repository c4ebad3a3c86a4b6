internal import Core
internal import Kafka
internal import Topology

extension SourcePipeline {
  /// One prediction of each model for each record that was applied or repaired, in the order of the log. Records that
  /// were filtered, came twice, came too late or broke their contract have none.
  func predict(_ records: borrowing ConsumedBatch, first: Int, _ outputs: TaskOutputs) {
    guard let models, !decisions.rows.isEmpty else { return }
    let rows = decisions.rows
    models.readOthers(batch, rows: rows, headers: decisions.headers)
    models.compute(batch, &scratch)
    // What models have in common is the first one's: it is done once for all of them.
    if let model = models.models.first { meters?.prepared(model: model.index) }
    let tracer = meters?.instruments.tracer
    for model in models.models where model.isActive {
      model.score(models, batch, rows: rows, records, first: first, &scratch)
      meters?.scored(model: model.index, rows: rows.count)
      model.write(
        models, records, first: first, rows: rows, headers: decisions.headers,
        nowMilliseconds: WallClock.system.nowMilliseconds, tracer: tracer, to: outputs)
      meters?.wrote()
    }
  }
}

extension PartitionTask {
  /// The models that score the events of a source of this task; nil without any.
  func modelStage(ofSource index: Int) -> ModelStage? {
    let reader = FeatureReader(plan: context.plan, board: context.board, clock: context.clock)
    let stage = ModelStage(context.plan, source: index, reader: reader, context.predictions)
    stage?.take(epoch)
    return stage
  }
}

extension TopicPreparation {
  /// The topics of predictions, with a partition for each task.
  func predictionTopics(_ counts: [String: Int32], _ count: Int32) throws(HeadraceError) -> [NewTopic] {
    try predictionTopics(plan.predictionTopics.map(\.name), counts, count)
  }

  /// Makes the topics of shadows, where versions are compared.
  func makeShadowTopics(_ epoch: ModelEpoch, _ admin: Admin, count: Int32) throws(HeadraceError) {
    let names = plan.models.enumerated().compactMap { index, model in
      epoch[index].flatMap { $0.shadows.isEmpty ? nil : model.stream?.shadowTopic }
    }
    guard !names.isEmpty else { return }
    let counts = try partitionCounts(admin)
    let topics = try predictionTopics(names, counts, count)
    try create(admin, topics.filter { counts[$0.name] == nil })
  }

  private func predictionTopics(
    _ wanted: [String], _ counts: [String: Int32], _ count: Int32
  ) throws(HeadraceError) -> [NewTopic] {
    var names: [String] = []
    for name in wanted where !names.contains(name) {
      names.append(name)
      guard let found = counts[name], found != count else { continue }
      throw HeadraceError(
        .user, "OUTPUT_PARTITIONS_DIFFER",
        "\(name) has \(found) partitions, and predictions go to the partition of their event, of which there are "
          + "\(count)", place: plan.name, remedy: "name another output topic, or make this one with \(count) partitions"
      )
    }
    return names.map { topic(named: $0, count, [:]) }
  }
}

extension Plan {
  /// Topics that predictions are written to, each once, with the input topic that they come from.
  var predictionTopics: [(name: String, input: String)] {
    var found: [(name: String, input: String)] = []
    for model in models where model.stream != nil {
      let topic = (model.outputTopic, sources[model.source].topic)
      if !found.contains(where: { $0 == topic }) { found.append(topic) }
    }
    return found
  }

  /// Whether any model writes predictions.
  var hasStreamModels: Bool { models.contains { $0.stream != nil } }
}
