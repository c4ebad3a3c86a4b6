package import Registry

/// What there is, beside the log: looked up before each decision, never remembered.
package struct RetrainingFacts: Sendable {
  package var nowMilliseconds: Int64
  /// How far the stream is, in event time.
  package var streamMilliseconds: Int64
  /// What the work of the present step has left.
  package var result: Result?
  /// Why the work of the present step will not be done; nil while it may be.
  package var failure: String?
  /// Model files that are in the store.
  package var storedHashes: Set<String> = []
  /// Of the rollout that is under way.
  package var trial: Trial?
  /// Messages that were delivered, or given up.
  package var told: Set<String> = []

  package enum Result: Sendable, Equatable {
    case dataset(DatasetResult)
    case model(ModelResult)
    case evaluation(EvaluationResult)
  }

  /// What the predictions of a rollout come to.
  package struct Trial: Sendable, Equatable {
    package var version: Int
    package var predictionCount: Int
    /// Gates that say no; enough predictions are there.
    package var broken: [String]
    /// Whether all gates hold, or there is none.
    package var holds: Bool
    /// For the evidence: one JSON value.
    package var json: String

    package init(version: Int, predictionCount: Int, broken: [String], holds: Bool, json: String) {
      self.version = version
      self.predictionCount = predictionCount
      self.broken = broken
      self.holds = holds
      self.json = json
    }
  }

  package init(nowMilliseconds: Int64, streamMilliseconds: Int64) {
    self.nowMilliseconds = nowMilliseconds
    self.streamMilliseconds = streamMilliseconds
  }
}

/// What a retraining does next. Each leaves something that lasts, and is not asked for again once that is there.
package enum RetrainingAction: Sendable, Hashable {
  /// A process of its own, which leaves a result in the retraining's folder.
  case work(Work)
  /// The model's file into the store, under its content.
  case store(path: String, contentHash: String)
  /// One command to the log.
  case send(RegistryCommand.Change)
  /// Asks the orchestrator outside.
  case callOutside(RetrainingMessage)
  /// Tells people: webhook, log, `headrace.drift`.
  case tell(RetrainingMessage)
  /// Tells a monitor that what it saw is right from this time on.
  case acknowledge(monitor: String, atMilliseconds: Int64)
  /// Nothing to do before something changes.
  case wait

  package enum Work: String, Sendable, CaseIterable { case dataset, train, evaluate }
}

/// Something that is told once, or again under the same id.
package struct RetrainingMessage: Sendable, Hashable {
  /// Unlike any other message of this retraining.
  package var key: String
  /// `paged`, `approval`, `done`, `refused`, `stopped`, `requested`.
  package var kind: String
  package var text: String

  package init(key: String, kind: String, text: String) {
    self.key = key
    self.kind = kind
    self.text = text
  }
}
