package import Registry

/// What the steps of a retraining have left in the log: each was recorded when its step was over.
extension RegisteredRetraining {
  package var cause: RetrainingCause? { RetrainingCause(json: retraining.cause) }

  package var datasetResult: DatasetResult? { DatasetResult(json: evidence(into: .train)) }
  package var modelResult: ModelResult? { ModelResult(json: evidence(into: .evaluate)) }
  package var evaluationResult: EvaluationResult? { EvaluationResult(json: evidence(into: .gate)) }

  /// The number that its model has in the registry; nil while it has none.
  package func version(in registry: RegistryState) -> Int? {
    guard let hash = modelResult?.contentHash else { return nil }
    return registry[retraining.model]?.versions.first { $0.version.contentHash == hash }?.version.number
  }

  private func evidence(into step: RetrainingStep) -> String { steps.first { $0.step == step }?.evidence ?? "" }
}
