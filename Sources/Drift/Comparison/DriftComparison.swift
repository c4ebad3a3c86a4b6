/// Compares two windows of one feature after the other, as `headrace drift compare` and the monitors do.
package struct DriftComparison: Sendable {
  package var definition: DriftDefinition
  /// Empty: those that the definition takes by itself.
  package var tests: [DriftTest]
  /// Limits of the user's in place of the definition's.
  package var limits: [DriftTest: Double]

  package init(
    definition: DriftDefinition = .classic, tests: [DriftTest] = [], limits: [DriftTest: Double] = [:]
  ) {
    self.definition = definition
    self.tests = tests
    self.limits = limits
  }

  /// Compares by all values. Tests that do not apply to the feature are left out, all of them when one side is empty
  /// or the sides are of different kinds.
  package func compare(_ feature: String, _ reference: FeatureWindow, _ current: FeatureWindow) -> FeatureDrift {
    var drift = FeatureDrift(feature: feature)
    switch (reference, current) {
    case (.numeric(let reference), .numeric(let current)):
      (drift.referenceRowCount, drift.currentRowCount) = (reference.rows.count, current.rows.count)
    case (.categorical(let reference), .categorical(let current)):
      (drift.referenceRowCount, drift.currentRowCount) = (reference.rows.count, current.rows.count)
    default: return drift
    }
    for test in chosenTests(reference, current) {
      guard let score = score(test, reference, current) else { continue }
      drift.results.append(result(test, score, threshold(test) { NannyMLDefinition.threshold(test, reference) }))
    }
    return drift
  }

  /// Compares what was counted. By the classic definition only: the others need all values.
  package func compare(_ feature: String, _ reference: FeatureProfile, _ current: FeatureProfile) -> FeatureDrift {
    var drift = FeatureDrift(feature: feature)
    drift.referenceRowCount = reference.rowCount
    drift.currentRowCount = current.rowCount
    for test in tests.isEmpty ? DriftDefinition.classic.defaultTests : tests {
      let score: TestScore? =
        switch (reference, current) {
        case (.numeric(let reference), .numeric(let current)): ClassicDefinition.score(test, reference, current)
        case (.categorical(let reference), .categorical(let current)):
          ClassicDefinition.score(
            test, CategoryCounts(reference, current), missing: (reference.missingCount, current.missingCount))
        default: nil
        }
      guard let score else { continue }
      drift.results.append(result(test, score, threshold(test) { nil }))
    }
    return drift
  }

  private func chosenTests(_ reference: FeatureWindow, _ current: FeatureWindow) -> [DriftTest] {
    guard tests.isEmpty else { return tests }
    switch (definition, reference, current) {
    case (.evidently, .numeric(let reference), .numeric(let current)):
      return [EvidentlyDefinition.defaultTest(reference, current)]
    case (.evidently, .categorical(let reference), .categorical(let current)):
      return [EvidentlyDefinition.defaultTest(CategoryCounts(reference, current))]
    default: return definition.defaultTests
    }
  }

  private func score(_ test: DriftTest, _ reference: FeatureWindow, _ current: FeatureWindow) -> TestScore? {
    switch (reference, current) {
    case (.numeric(let reference), .numeric(let current)):
      switch definition {
      case .classic: ClassicDefinition.score(test, reference.sample, current.sample)
      case .evidently: EvidentlyDefinition.score(test, reference, current)
      case .nannyml: NannyMLDefinition.score(test, reference.sample, current.sample)
      }
    case (.categorical(let reference), .categorical(let current)):
      switch definition {
      case .classic:
        ClassicDefinition.score(
          test, CategoryCounts(reference, current), missing: (reference.missingCount, current.missingCount))
      case .evidently: EvidentlyDefinition.score(test, CategoryCounts(reference, current))
      case .nannyml: NannyMLDefinition.score(test, CategoryCounts(reference, current))
      }
    default: nil
    }
  }

  private func threshold(_ test: DriftTest, _ fromReference: () -> Threshold?) -> Threshold? {
    var threshold = definition.threshold(test)
    if threshold == nil, definition == .nannyml { threshold = fromReference() }
    if let limit = limits[test] { threshold = Threshold(limit, threshold?.side ?? .atLeast) }
    return threshold
  }

  private func result(_ test: DriftTest, _ score: TestScore, _ threshold: Threshold?) -> TestResult {
    TestResult(
      test: test, score: score, threshold: threshold,
      isDrift: threshold.map { $0.isCrossed(by: score.pValue ?? score.score) } ?? false)
  }
}

/// What was found of one feature.
package struct FeatureDrift: Sendable, Equatable {
  package var feature: String
  package var referenceRowCount = 0
  package var currentRowCount = 0
  /// In the order in which the tests were asked for.
  package var results: [TestResult] = []

  package subscript(test: DriftTest) -> TestResult? { results.first { $0.test == test } }
}

package struct TestResult: Sendable, Equatable {
  package var test: DriftTest
  package var score: TestScore
  /// Of the score, or of its p-value where it has one. Nil where the reference was too small to give one.
  package var threshold: Threshold?
  package var isDrift: Bool
}

/// A window of one feature as it was counted.
package enum FeatureProfile: Sendable, Equatable {
  case numeric(NumericProfile)
  case categorical(CategoryProfile)

  package var rowCount: Int {
    switch self {
    case .numeric(let profile): profile.rowCount
    case .categorical(let profile): profile.rowCount
    }
  }

  /// - Precondition: both are of one kind, and on the same grid.
  package mutating func merge(_ other: FeatureProfile) {
    switch (self, other) {
    case (.numeric(var mine), .numeric(let other)):
      // Only one owner while it is changed: no copy.
      self = .categorical(CategoryProfile(capacity: 1))
      mine.merge(other)
      self = .numeric(mine)
    case (.categorical(var mine), .categorical(let other)):
      self = .categorical(CategoryProfile(capacity: 1))
      mine.merge(other)
      self = .categorical(mine)
    default: preconditionFailure("a number and a category cannot be merged")
    }
  }
}

extension CategoryCounts {
  /// Rows of categories that a profile has dropped are one category, `rest`, on either side.
  init(_ reference: CategoryProfile, _ current: CategoryProfile) {
    self.init(reference.categories, current.categories)
    let rest = (reference.unlistedCount, current.unlistedCount)
    guard rest.0 > 0 || rest.1 > 0 else { return }
    self.reference.append(rest.0)
    self.current.append(rest.1)
  }
}
