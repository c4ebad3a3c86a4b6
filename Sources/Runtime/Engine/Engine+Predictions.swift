package import Contracts
package import Core
internal import Kafka
internal import Logging
package import Topology

// What predictions need beside the models: schemas at the registry, and somebody who says that a model is too slow.

extension Engine {
  /// Has the schemas of Avro predictions registered.
  ///
  /// - Returns: their ids by topic, of those in Confluent's framing.
  func registerSchemas(of plan: Plan) throws(HeadraceError) -> [String: Int32] {
    var ids: [String: Int32] = [:]
    for (format, schema) in plan.predictionSchemas where format == .avroConfluent {
      ids[schema.topic] = try schemas.register(subject: schema.subject, schema: schema.json)
    }
    return ids
  }

  /// Says once for each time that a version was too slow and is left alone for a while.
  func tellOverruns() {
    guard let epochs else { return }
    let epoch = epochs.newest
    for (index, model) in epochs.plan.models.enumerated() {
      for (arm, version, budget) in epoch[index]?.budgets ?? [] {
        guard let trouble = budget.takeTrouble() else { continue }
        logger.warning(
          trouble.isOpen ? "a model is too slow: its fallback answers for a while" : "a model is too slow",
          metadata: [
            "model": "\(model.name)", "arm": "\(arm)", "version": "\(version.number.map(String.init) ?? "file")",
            "timeout_ms": "\(budget.batchMilliseconds)", "overruns": "\(trouble.overruns)",
            "longest_ms": "\(trouble.longestMilliseconds)",
          ])
      }
    }
  }
}

extension Plan {
  /// Readers of the topics whose predictions are Avro, by topic.
  package func predictionTexts(_ schemas: any WriterSchemas) throws(HeadraceError) -> [String: AvroText] {
    var texts: [String: AvroText] = [:]
    for (format, schema) in predictionSchemas {
      texts[schema.topic] = AvroText(format.payload, schema: try schema.schema(), schemas: schemas)
    }
    return texts
  }
}

extension TopicPreparation {
  /// Topics of requests and of their answers, as many partitions as the topology's others; those that are there may
  /// have any number.
  func requestTopics(_ counts: [String: Int32], _ count: Int32) -> [NewTopic] {
    plan.topics.filter { ($0.role == .request || $0.role == .response) && counts[$0.name] == nil }.map {
      topic(named: $0.name, count, [:])
    }
  }
}
