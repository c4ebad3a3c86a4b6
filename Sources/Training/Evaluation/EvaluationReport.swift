/// What Headrace itself found of some models on the rows of one test split.
package struct EvaluationReport: Sendable, Equatable {
  /// A figure with its interval; nil where there is none.
  package struct Metric: Sendable, Equatable {
    package var name: String
    package var value: Double
    package var low: Double?
    package var high: Double?

    package init(name: String, value: Double, low: Double? = nil, high: Double? = nil) {
      self.name = name
      self.value = value
      self.low = low
      self.high = high
    }
  }

  package enum Role: String, Sendable, CaseIterable { case challenger, champion, baseline, other }

  package struct ModelFigures: Sendable, Equatable {
    package var name: String
    package var role: Role
    /// nil of a baseline that has no file.
    package var contentHash: String?
    package var metrics: [Metric]
    /// What its trainer says.
    package var claims: [TrainedModel.Claim]

    package subscript(metric: String) -> Metric? { metrics.first { $0.name == metric } }
  }

  /// Challenger minus another model, of the same rows.
  package struct Difference: Sendable, Equatable {
    package var metric: String
    /// The other model's name and role.
    package var against: String
    package var role: Role
    package var value: Double
    package var low: Double
    package var high: Double
    /// How the interval came about: `delong`, `paired_normal`, `delta`.
    package var method: String
    /// Whether a higher figure is the better one.
    package var higherIsBetter: Bool

    /// Whether the whole interval lies on the better side of `margin`.
    package func isBetter(margin: Double = 0) -> Bool { higherIsBetter ? low > margin : high < -margin }

    /// Whether the whole interval lies on the worse side of `margin`.
    package func isWorse(margin: Double = 0) -> Bool { higherIsBetter ? high < -margin : low > margin }
  }

  package struct Slice: Sendable, Equatable {
    /// `carrier = AA`, or the expression.
    package var name: String
    package var rowCount: Int
    package var models: [ModelFigures]
    package var differences: [Difference]
  }

  package var dataset: String
  /// SHA-256 of the dataset's manifest.
  package var manifestHash: String
  package var label: String
  package var objective: TrainingObjective
  package var rowCount: Int
  package var trainingRowCount: Int
  /// Share of positive labels; of a regression, the mean.
  package var labelMean: Double
  package var confidence: Double
  package var threshold: Double
  package var models: [ModelFigures]
  package var differences: [Difference]
  package var slices: [Slice]
  package var findings: [TrainingFinding]

  package var challenger: ModelFigures? { models.first { $0.role == .challenger } }
  package var champion: ModelFigures? { models.first { $0.role == .champion } }

  /// Challenger minus the model of a role.
  package func difference(_ metric: String, against role: Role) -> Difference? {
    differences.first { $0.metric == metric && $0.role == role }
  }
}
