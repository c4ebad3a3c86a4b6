internal import Drift

/// `compare DEFINITION TESTS REFERENCE CURRENT`: each feature by all values. TESTS is a list or `default`.
enum CompareProbe {
  static func run(_ arguments: [String]) throws {
    guard arguments.count == 4, let definition = DriftDefinition(rawValue: arguments[0]) else {
      throw ProbeError(message: "compare DEFINITION TESTS REFERENCE CURRENT")
    }
    let comparison = DriftComparison(definition: definition, tests: try tests(arguments[1]))
    let (reference, current) = (try Table(arguments[2]), try Table(arguments[3]))
    for name in reference.names {
      let drift = comparison.compare(name, try reference.window(name), try current.window(name))
      for result in drift.results {
        answer(
          name, result.test.rawValue, result.score.score, result.threshold?.value ?? .nan, result.isDrift,
          result.score.pValue ?? .nan)
      }
    }
  }

  static func tests(_ text: String) throws -> [DriftTest] {
    guard text != "default" else { return [] }
    return try text.split(separator: ",").map { name in
      guard let test = DriftTest(name: String(name)) else { throw ProbeError(message: "no test \(name)") }
      return test
    }
  }
}

/// `profiles FINE TESTS REFERENCE CURRENT`: each feature by sketches of both, taken from a quantile sketch of the
/// reference, in parts that are merged and go through their bytes; with the bounds.
enum ProfileProbe {
  static func run(_ arguments: [String]) throws {
    guard arguments.count == 4, let fine = Int(arguments[0]) else {
      throw ProbeError(message: "profiles FINE TESTS REFERENCE CURRENT")
    }
    let comparison = DriftComparison(tests: try CompareProbe.tests(arguments[1]))
    let (reference, current) = (try Table(arguments[2]), try Table(arguments[3]))
    for name in reference.names where !name.hasPrefix("c") {
      let rows = try reference.numbers(name)
      var sketch = QuantileSketch()
      for row in rows { sketch.add(row) }
      guard let grid = sketch.grid(finePerCoarse: fine)?.grid else { continue }
      let first = try profile(rows, grid)
      let second = try profile(try current.numbers(name), grid)
      for result in comparison.compare(name, .numeric(first), .numeric(second)).results {
        let estimate = result.score.estimate
        answer(name, result.test.rawValue, estimate.value, estimate.lowerBound, estimate.upperBound)
      }
    }
  }

  private static func profile(_ rows: [Double], _ grid: BinGrid) throws -> NumericProfile {
    var whole = NumericProfile(grid)
    for start in stride(from: 0, to: rows.count, by: 700) {
      var part = NumericProfile(grid)
      for row in rows[start..<min(start + 700, rows.count)] { part.add(row) }
      whole.merge(try NumericProfile(decoding: part.encoded))
    }
    return whole
  }
}
