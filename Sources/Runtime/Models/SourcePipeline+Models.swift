internal import Core
internal import Kafka
internal import Topology

extension PartitionTask {
  /// What models say goes here; nil without models.
  static func scoringLane(_ number: Int32, _ context: TaskContext) throws(HeadraceError) -> ScoringLane? {
    guard context.plan.hasStreamModels else { return nil }
    return try ScoringLane(PredictionBuffers(context.plan, task: number), context.cost)
  }

  /// The models that score the events of a source of this task; nil without any.
  func modelStage(ofSource index: Int) -> ModelStage? {
    guard let scoring, let layout = ModelLayout(context.plan, source: index) else { return nil }
    let reader = FeatureReader(plan: context.plan, board: context.board, clock: context.clock)
    let stage = ModelStage(
      layout,
      ScoringStage(
        context.plan, source: index, layout, reader: reader, context.predictions, context.cost),
      scoring)
    stage.take(epoch)
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
