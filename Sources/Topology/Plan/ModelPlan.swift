package import Expressions

/// A model in the stream: one prediction for each event of a source.
package struct ModelPlan: Sendable {
  package var name: String
  package var about: About
  /// Who pays for it; nil: its service's tenant, or whoever pays for its source.
  package var tenant: String?
  /// A position in `Plan.services`.
  package var service: Int
  /// A position in `Plan.sources`.
  package var source: Int
  package var outputTopic: String
  /// What runs in the stream; nil for a model that is declared by its name in the registry alone.
  package var stream: StreamModelPlan?
  package var use: ModelReference?
  /// Scored beside it; its predictions are compared and never served.
  package var shadow: ModelReference?
  package var label: LabelPlan?
  /// nil: requests come over HTTP alone.
  package var requests: RequestsPlan?
  /// Views whose rows another task may own: they are asked for, with a deadline.
  package var remoteViews: [Int]
  /// Whether predictions and labels go into tables.
  package var isArchived = false
}

extension ModelPlan {
  package var predictionsTable: String { "predictions/\(name)" }
  package var labelsTable: String { "labels/\(name)" }

  /// The tables that are written for it.
  var tables: [String] {
    guard isArchived, stream != nil else { return [] }
    return [predictionsTable] + (label == nil ? [] : [labelsTable])
  }
}

/// `late_arrival@champion`: a registered model and an alias, or `late_arrival:3`, a version.
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
  package enum Selector: Sendable, Hashable {
    case alias(String)
    case version(Int)
  }

  package var model: String
  package var selector: Selector

  package init(model: String, selector: Selector) {
    self.model = model
    self.selector = selector
  }

  package var description: String {
    switch selector {
    case .alias(let alias): "\(model)@\(alias)"
    case .version(let version): "\(model):\(version)"
    }
  }
}

/// Where the truth about a prediction comes from.
package struct LabelPlan: Sendable {
  /// A position in `Plan.sources`.
  package var source: Int
  /// The field that both events carry: a scope position in the model's source, and in the label's.
  package var matchColumn: Int
  package var labelMatchColumn: Int
  /// Over the scope of the label's source.
  package var value: Expression
  /// As the file says it, on one line.
  package var text: String
  package var withinMilliseconds: Int64
}

/// What is watched about a model.
package struct MonitorPlan: Sendable {
  package var name: String
  package var about: About
  /// A position in `Plan.models`.
  package var model: Int
  package var windowMilliseconds: Int64
  package var tests: [(test: DriftTest, threshold: Double)]
  package var performance: [(metric: ModelMetric, bounds: MetricBounds)]
  /// Scope positions in the model's source: rows are told apart by what these fields say.
  package var segments: [Int] = []
  package var reference = MonitorReferencePlan.trailing(windows: 7)
  package var falseDiscoveryRate: Double?
  package var minimumRowCount: Int?
  /// An alarm is over after so many windows in a row inside its limits.
  package var resolveAfterWindows: Int?
  package var knownChanges: [KnownChangePlan] = []
}

/// What a window is compared with.
package enum MonitorReferencePlan: Sendable, Hashable {
  /// `trailing 7 windows`.
  case trailing(windows: Int)
  /// `same hour last week`, `7d earlier`.
  case earlier(milliseconds: Int64)
  /// `{dataset: late@3}`.
  case dataset(DatasetReferencePlan)
}

/// A training set beside the tables.
package struct DatasetReferencePlan: Sendable, Hashable, CustomStringConvertible {
  package var name: String
  package var version: Int

  package var description: String { "\(name)@\(version)" }
}

/// A time in which drift is expected.
package struct KnownChangePlan: Sendable, Hashable {
  package var about: String
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
}

package enum DriftTest: String, Sendable, CaseIterable {
  /// Population stability index.
  case psi
  /// Kolmogorov-Smirnov.
  case ks
  case chiSquare = "chisquare"
  case jensenShannon = "jensenshannon"
  case wasserstein
  case hellinger
  /// Total variation.
  case totalVariation = "tv"
  case kullbackLeibler = "kl"
  /// By how much the share of missing values changed.
  case missing
  case newCategories = "new_categories"
  case outOfRange = "out_of_range"
}

package enum ModelMetric: String, Sendable, CaseIterable {
  case auc
  case averagePrecision = "average_precision"
  case logLoss = "log_loss"
  case brier
  case accuracy, precision, recall, f1
  case rootMeanSquareError = "rmse"
  case meanAbsoluteError = "mae"
  case determination = "r2"

  /// Whether it judges numbers; the others judge probabilities of a yes.
  package var isOfNumbers: Bool {
    switch self {
    case .rootMeanSquareError, .meanAbsoluteError, .determination: true
    case .auc, .averagePrecision, .logLoss, .brier, .accuracy, .precision, .recall, .f1: false
    }
  }
}
