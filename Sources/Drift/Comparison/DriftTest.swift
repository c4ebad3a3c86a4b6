/// What two windows of a feature can be compared by.
package enum DriftTest: String, CaseIterable, Sendable {
  /// Population stability index.
  case psi
  /// Kolmogorov–Smirnov: the statistic; by Evidently's definition the p-value.
  case kolmogorovSmirnov = "ks"
  /// The p-value of Kolmogorov–Smirnov.
  case kolmogorovSmirnovPValue = "ks_p"
  /// Jensen–Shannon distance.
  case jensenShannon = "js"
  case kullbackLeibler = "kl"
  /// First Wasserstein distance; normalised by the reference's standard deviation but for NannyML.
  case wasserstein
  /// Chi-squared: the p-value; by NannyML's definition the statistic.
  case chiSquared = "chi2"
  case hellinger
  case totalVariation = "tv"
  case largestDifference = "l_infinity"
  /// z-test of the share of one of two categories.
  case shareTest = "z"
  /// By how much the share of missing values rose or fell.
  case missing
  /// The share of rows whose category the reference does not have.
  case newCategories = "new_categories"
  /// The share of values outside of the reference's range.
  case outOfRange = "out_of_range"

  /// The names above, and those that other libraries use.
  package init?(name: String) {
    let plain = name.lowercased().filter { $0 != "_" && $0 != "-" }
    switch plain {
    case "psi": self = .psi
    case "ks", "kolmogorovsmirnov": self = .kolmogorovSmirnov
    case "ksp", "kspvalue": self = .kolmogorovSmirnovPValue
    case "js", "jensenshannon": self = .jensenShannon
    case "kl", "kldiv": self = .kullbackLeibler
    case "wasserstein": self = .wasserstein
    case "chi2", "chisquare", "chisquared": self = .chiSquared
    case "hellinger": self = .hellinger
    case "tv", "tvd", "totalvariation": self = .totalVariation
    case "linf", "linfinity": self = .largestDifference
    case "z": self = .shareTest
    case "missing", "missingrate", "nulls": self = .missing
    case "newcategories": self = .newCategories
    case "outofrange": self = .outOfRange
    default: return nil
    }
  }
}

/// Whose formulas and thresholds count.
package enum DriftDefinition: String, CaseIterable, Sendable {
  /// Bins from the reference alone (its deciles), scipy's statistics. The only one that sketches can serve.
  case classic
  /// Evidently 0.7.
  case evidently
  /// NannyML 0.13.
  case nannyml
}

/// When a score says drift.
package struct Threshold: Sendable, Equatable {
  package enum Side: Sendable {
    /// Distances: drift at or above the value.
    case atLeast
    /// NannyML's limits: drift above the value.
    case above
    /// p-values: drift below the value.
    case below
    /// Evidently's Kolmogorov–Smirnov: drift at or below the value.
    case atMost
  }

  package var value: Double
  package var side: Side

  package init(_ value: Double, _ side: Side) {
    self.value = value
    self.side = side
  }

  package func isCrossed(by score: Double) -> Bool {
    switch side {
    case .atLeast: score >= value
    case .above: score > value
    case .below: score < value
    case .atMost: score <= value
    }
  }
}

extension DriftDefinition {
  /// The limit that a definition has for a test; nil where it has no such test. NannyML's follow from the reference
  /// (`NannyMLDefinition.threshold`) but for chi-squared, whose limit is for the p-value.
  package func threshold(_ test: DriftTest) -> Threshold? {
    switch (self, test) {
    case (.classic, .psi): Threshold(0.2, .atLeast)
    case (.classic, .kolmogorovSmirnov), (.classic, .wasserstein), (.classic, .jensenShannon),
      (.classic, .kullbackLeibler), (.classic, .hellinger), (.classic, .totalVariation),
      (.classic, .largestDifference):
      Threshold(0.1, .atLeast)
    case (.evidently, .psi), (.evidently, .jensenShannon), (.evidently, .kullbackLeibler), (.evidently, .hellinger),
      (.evidently, .wasserstein):
      Threshold(0.1, .atLeast)
    case (.evidently, .kolmogorovSmirnov): Threshold(0.05, .atMost)
    case (.classic, .kolmogorovSmirnovPValue), (.classic, .chiSquared), (.classic, .shareTest),
      (.evidently, .chiSquared), (.evidently, .shareTest), (.nannyml, .chiSquared):
      Threshold(0.05, .below)
    case (.classic, .missing): Threshold(0.05, .atLeast)
    case (.classic, .newCategories), (.classic, .outOfRange): Threshold(0.01, .atLeast)
    default: nil
    }
  }

  /// Whether a definition has the test at all, of numbers or of categories.
  package func supports(_ test: DriftTest) -> Bool {
    switch self {
    case .classic: true
    case .evidently: threshold(test) != nil
    case .nannyml:
      [.jensenShannon, .kolmogorovSmirnov, .wasserstein, .hellinger, .chiSquared, .largestDifference].contains(test)
    }
  }

  /// What is computed when nothing is asked for.
  package var defaultTests: [DriftTest] {
    switch self {
    case .classic: [.psi, .kolmogorovSmirnov, .wasserstein, .chiSquared, .missing, .newCategories, .outOfRange]
    // Chosen by size and number of values, for each feature.
    case .evidently: []
    case .nannyml: [.jensenShannon]
    }
  }
}
