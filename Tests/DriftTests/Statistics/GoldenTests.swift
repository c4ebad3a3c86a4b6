import Testing

@testable import Drift

/// Every deterministic figure of scipy, Evidently and NannyML on the reference data, by each one's own definition.
@Suite struct GoldenTests {
  @Test func `the data are those that the figures were made from`() {
    let (reference, current) = (ReferenceData.reference(3), ReferenceData.current(3))
    let figures = GoldenFigures.of("first_rows")
    #expect(figures.count == 54)
    for figure in figures {
      let data = figure.rows == "reference" ? reference : current
      let row = Int(figure.name) ?? 0
      if let numbers = data.numbers[figure.column] {
        #expect(numbers[row] == figure.value, "\(figure)")
      } else {
        #expect(data.categories[figure.column]?[row] == figure.text, "\(figure)")
      }
    }
  }

  @Test(arguments: ["4000x3000", "800x600"])
  func `scipy's figures of numbers`(rows: String) throws {
    let (n, m) = try #require(GoldenFigures.sizes[rows])
    let (reference, current) = (ReferenceData.reference(n), ReferenceData.current(m))
    var checked = 0
    for column in ReferenceData.numericNames {
      let first = NumericSample(reference.numbers[column] ?? [])
      let second = NumericSample(current.numbers[column] ?? [])
      let statistic = try #require(KolmogorovSmirnov.statistic(first, second))
      let distance = try #require(WassersteinDistance.exact(first, second))
      let deviation = try #require(first.standardDeviation)
      let grid = try #require(BinGrid(quantilesOf: first))
      let shares = ShareDistances(reference: grid.counts(of: first), current: grid.counts(of: second))
      var figures: [String: Double] = [
        "mean_ref": first.meanAndVariance?.mean ?? .nan, "std_ref_ddof0": deviation,
        "mean_cur": second.meanAndVariance?.mean ?? .nan, "std_cur_ddof0": second.standardDeviation ?? .nan,
        "ks": statistic, "wasserstein": distance, "wasserstein_over_std_ref": distance / deviation,
        "psi_10_ref_quantiles_eps1e_4": shares?.populationStabilityIndex() ?? .nan,
      ]
      let methods: [(String, KolmogorovSmirnov.Method)] = [
        ("auto", .automatic), ("asymp", .asymptotic), ("exact", .exact),
      ]
      for (name, method) in methods {
        figures["ks_p_\(name)"] = KolmogorovSmirnov.pValue(
          statistic, referenceCount: n, currentCount: m, method: method)
      }
      for (index, edge) in grid.edges.enumerated() { figures["psi_edges[\(index)]"] = edge }
      for figure in GoldenFigures.of("scipy") where figure.rows == rows && figure.column == column {
        let found = try #require(figures[figure.name], "\(figure)")
        #expect(isNear(found, figure.value), "\(figure) found \(found)")
        checked += 1
      }
    }
    #expect(checked > 100)
  }

  @Test(arguments: ["4000x3000", "800x600"])
  func `scipy's figures of categories`(rows: String) throws {
    let (n, m) = try #require(GoldenFigures.sizes[rows])
    let (reference, current) = (ReferenceData.reference(n), ReferenceData.current(m))
    for column in ReferenceData.categoryNames {
      let counts = CategoryCounts(
        CategoryWindow(reference.categories[column] ?? []), CategoryWindow(current.categories[column] ?? []))
      let plain = try #require(ChiSquared.twoSample(reference: counts.reference, current: counts.current))
      let corrected = try #require(
        ChiSquared.twoSample(reference: counts.reference, current: counts.current, usesYatesCorrection: true))
      let shares = try #require(ShareDistances(reference: counts.reference, current: counts.current))
      var figures: [String: Double] = [
        "chi2": plain.statistic, "chi2_p": plain.pValue, "dof": Double(plain.degreesOfFreedom),
        "chi2_yates": corrected.statistic, "chi2_yates_p": corrected.pValue,
        "js_distance_ln": shares.jensenShannonDistance(), "js_distance_base2": shares.jensenShannonDistance(base: 2),
      ]
      for (index, count) in counts.reference.enumerated() { figures["counts_ref[\(index)]"] = Double(count) }
      for (index, count) in counts.current.enumerated() { figures["counts_cur[\(index)]"] = Double(count) }
      for figure in GoldenFigures.of("scipy") where figure.rows == rows && figure.column == column {
        let found = try #require(figures[figure.name], "\(figure)")
        #expect(isNear(found, figure.value), "\(figure) found \(found)")
      }
    }
  }

  private func windows(_ column: String, _ n: Int, _ m: Int) -> (FeatureWindow, FeatureWindow) {
    let (reference, current) = (ReferenceData.reference(n), ReferenceData.current(m))
    if let first = reference.numbers[column], let second = current.numbers[column] {
      return (.numeric(NumericWindow(first)), .numeric(NumericWindow(second)))
    }
    return (
      .categorical(CategoryWindow(reference.categories[column] ?? [])),
      .categorical(CategoryWindow(current.categories[column] ?? []))
    )
  }

  @Test(arguments: ["4000x3000", "800x600"], [DriftDefinition.evidently, .nannyml])
  func `the figures of Evidently and NannyML`(rows: String, definition: DriftDefinition) throws {
    let (n, m) = try #require(GoldenFigures.sizes[rows])
    var checked = 0
    for column in ReferenceData.numericNames + ReferenceData.categoryNames {
      let (reference, current) = windows(column, n, m)
      for figure in GoldenFigures.of(definition.rawValue) where figure.rows == rows && figure.column == column {
        // The p-value of random permutations.
        if figure.name == "TVD" { continue }
        let name = figure.name.replacing("[0]", with: "").replacing("[1]", with: "")
        if name.hasPrefix("default") { continue }
        let test = try #require(DriftTest(name: name), "\(name)")
        let drift = DriftComparison(definition: definition, tests: [test]).compare(column, reference, current)
        let score = try #require(drift[test]?.score, "\(figure)")
        let found = figure.name.hasSuffix("[1]") ? try #require(score.pValue) : score.score
        // Evidently subtracts a z-value's probability from one: only what is left of it is comparable.
        let absolute = test == .shareTest ? 1e-15 * 1e3 : 1e-9
        #expect(isNear(found, figure.value, absolute: absolute), "\(figure) found \(found)")
        checked += 1
      }
    }
    #expect(checked > 30)
  }

  @Test(arguments: ["4000x3000", "800x600"])
  func `the test that Evidently chooses`(rows: String) throws {
    let (n, m) = try #require(GoldenFigures.sizes[rows])
    let names: [DriftTest: String] = [
      .wasserstein: "Wasserstein distance (normed)", .jensenShannon: "Jensen-Shannon distance",
      .kolmogorovSmirnov: "K-S p_value", .chiSquared: "chi-square p_value", .shareTest: "Z-test p_value",
    ]
    for column in ReferenceData.numericNames + ReferenceData.categoryNames {
      let (reference, current) = windows(column, n, m)
      let drift = DriftComparison(definition: .evidently).compare(column, reference, current)
      let result = try #require(drift.results.first)
      #expect(drift.results.count == 1)
      #expect(isNear(result.score.score, GoldenFigures.value("evidently", rows, column, "default")), "\(column)")
      let method = GoldenFigures.of("evidently").first {
        $0.rows == rows && $0.column == column && $0.name == "default_method"
      }
      #expect(names[result.test] == method?.text)
    }
  }
}
