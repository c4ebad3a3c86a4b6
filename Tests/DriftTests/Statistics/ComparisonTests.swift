import Columns
import Testing

@testable import Drift

@Suite struct ComparisonTests {
  private let numbers = FeatureWindow.numeric(NumericWindow([1, 2, 3, 4, 5, .nan, .infinity]))
  private let names = FeatureWindow.categorical(CategoryWindow(["a", "b", nil, "a"]))
  private let emptyNumbers = FeatureWindow.numeric(NumericWindow([]))
  private let emptyNames = FeatureWindow.categorical(CategoryWindow([]))
  private let missingNumbers = FeatureWindow.numeric(NumericWindow([.nan, .nan]))

  @Test(arguments: DriftDefinition.allCases)
  func `no window breaks a definition`(definition: DriftDefinition) {
    let windows = [numbers, names, emptyNumbers, emptyNames, missingNumbers]
    let comparison = DriftComparison(definition: definition, tests: DriftTest.allCases)
    for reference in windows {
      for current in windows {
        for result in comparison.compare("x", reference, current).results {
          #expect(!result.score.score.isNaN, "\(definition) \(result.test)")
        }
        _ = DriftComparison(definition: definition).compare("x", reference, current)
      }
    }
  }

  @Test(arguments: [DriftDefinition.classic, .evidently])
  func `a window does not drift from itself`(definition: DriftDefinition) {
    let comparison = DriftComparison(definition: definition, tests: DriftTest.allCases)
    // An infinity is out of any range.
    for window in [FeatureWindow.numeric(NumericWindow([1, 2, 3, 4, 5, .nan])), names] {
      let drift = comparison.compare("x", window, window)
      #expect(!drift.results.isEmpty)
      for result in drift.results { #expect(!result.isDrift, "\(result)") }
    }
  }

  @Test func `sides of different kinds give nothing`() {
    #expect(DriftComparison().compare("x", numbers, names).results.isEmpty)
  }

  @Test func `limits of the user's count`() {
    let low = DriftComparison(tests: [.missing], limits: [.missing: 0.01])
    let high = DriftComparison(tests: [.missing], limits: [.missing: 0.9])
    let whole = FeatureWindow.numeric(NumericWindow([1, 2, 3]))
    #expect(low.compare("x", whole, numbers)[.missing]?.isDrift == true)
    #expect(high.compare("x", whole, numbers)[.missing]?.isDrift == false)
  }

  @Test func `tests are known by the names of other libraries`() {
    let names = ["Jensen-Shannon", "kl_div", "chisquare", "TVD", "kolmogorov_smirnov", "l_infinity", "NEW_CATEGORIES"]
    #expect(
      names.map { DriftTest(name: $0) } == [
        .jensenShannon, .kullbackLeibler, .chiSquared, .totalVariation, .kolmogorovSmirnov, .largestDifference,
        .newCategories,
      ])
    #expect(DriftTest(name: "nothing") == nil)
    for test in DriftTest.allCases { #expect(DriftTest(name: test.rawValue) == test) }
  }

  @Test func `columns become windows`() {
    var column = Column(.decimal(scale: 1))
    column.append(15 as Int128)
    column.appendNull()
    guard case .numeric(let window) = FeatureWindow(column) else { return #expect(Bool(false)) }
    #expect(window.sample.values == [1.5])
    #expect(window.sample.missingCount == 1)
    var integers = Column(.integer)
    integers.append(7 as Int64)
    guard case .numeric(let whole) = FeatureWindow(integers) else { return #expect(Bool(false)) }
    #expect(whole.isInteger && whole.rows == [7])
  }

  @Test func `new categories`() {
    let reference = FeatureWindow.categorical(CategoryWindow(["a", "b", "a", "b"]))
    let current = FeatureWindow.categorical(CategoryWindow(["a", "c", nil, "d"]))
    let drift = DriftComparison(tests: [.newCategories, .missing]).compare("x", reference, current)
    #expect(drift[.newCategories]?.score.score == 2.0 / 3)
    #expect(drift[.missing]?.score.score == 0.25)
  }
}
