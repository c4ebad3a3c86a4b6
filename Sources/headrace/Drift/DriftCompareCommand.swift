internal import ArgumentParser
internal import Core
internal import Drift
internal import Kafka
internal import Monitoring
internal import OfflineStore

struct DriftCompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two sets of rows, feature by feature.",
    discussion: """
      REFERENCE and CURRENT are Parquet files, folders of them, or Delta tables: by their path, or by their name below \
      --data or --tables; TABLE@17 is a version, TABLE@2026-01-31T12:00:00Z the table as it was then.

      Tests: psi, ks (the statistic), ks_p, wasserstein (over the reference's standard deviation), jensenshannon, kl, \
      chi2 (the p-value), hellinger, tv, l_infinity, missing, new_categories, out_of_range, z. By default those that \
      the definition takes by itself. A definition decides formulas, bins and thresholds; limits of your own: psi=0.1.

      Up to a million rows on each side figures are exact. Above that numbers are counted into bins and each figure \
      has the bounds in which the exact one lies for certain; --exact keeps all values of a column in memory instead.

      Exit codes: 0 compared, whether there is drift or not; 1 failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("What was before.", valueName: "reference")) var reference: String
  @Argument(help: ArgumentHelp("What is now.", valueName: "current")) var current: String
  @Option(
    help: ArgumentHelp("Tests, separated by commas, each with or without a limit: psi=0.2,ks.", valueName: "test,…"))
  var tests: String?
  @Option(help: ArgumentHelp("classic, evidently or nannyml: whose formulas count.", valueName: "name"))
  var definition = "classic"
  @Option(help: ArgumentHelp("Columns, separated by commas. (default: those that both have)", valueName: "column,…"))
  var features: String?
  @Flag(help: "Exact figures also of large inputs.") var exact = false
  @Option(help: ArgumentHelp("Threads that compute. (default: one for each processor)", valueName: "n"))
  var threads: Int?
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads \(threads): expected 1 to 256") }
    let chosen = try chosenDefinition()
    for test in try DriftTestChoice.parse(tests) where !chosen.supports(test.test) {
      throw ValidationError(
        "--tests \(test.name): --definition \(definition) has no such test; expected \(chosen.testNames)")
    }
  }

  func run() async throws {
    let choices = try DriftTestChoice.parse(tests)
    let limits = Dictionary(choices.compactMap { choice in choice.limit.map { (choice.test, $0) } }) { $1 }
    let comparison = BatchComparison(
      DriftComparison(definition: try chosenDefinition(), tests: choices.map(\.test), limits: limits),
      features: features.map { $0.split(separator: ",").map(String.init) }, isAlwaysExact: exact,
      threadCount: threads ?? ParallelWork.processorCount)
    let store = place.isGiven ? try place.store() : nil
    let (reference, current) = (reference, current)
    let report = try await BlockingThread(name: "drift").run {
      try comparison.run(
        try DriftInput.open(reference, tables: store), try DriftInput.open(current, tables: store))
    }
    switch output {
    case .json: try StandardOutput.writeAll(DriftCompareReport(report, choices).json(definition))
    case .table: try StandardOutput.writeAll(Array(DriftCompareReport(report, choices).text.utf8))
    }
    for (side, names) in [("REFERENCE", report.onlyInReference), ("CURRENT", report.onlyInCurrent)] where !names.isEmpty
    {
      StandardError.write("note: only in \(side): \(names.joined(separator: ", "))")
    }
  }

  private func chosenDefinition() throws -> DriftDefinition {
    if let known = DriftDefinition(rawValue: definition) { return known }
    let names = DriftDefinition.allCases.map(\.rawValue)
    let nearest = NearestName.of(definition, in: names).map { "did you mean \($0)?" }
    throw ValidationError("--definition \(definition): \(nearest ?? "expected \(names.joined(separator: ", "))")")
  }
}

/// A test as the user named it.
struct DriftTestChoice: Sendable {
  var name: String
  var test: DriftTest
  var limit: Double?

  /// - Parameter text: `psi,ks=0.08`; nil: none.
  static func parse(_ text: String?) throws -> [DriftTestChoice] {
    guard let text else { return [] }
    let parts = text.split(separator: ",").map { $0.filter { $0 != " " } }
    guard !parts.isEmpty else { throw ValidationError("--tests names no test") }
    return try parts.map { part in
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let name = sides.first, let test = DriftTest(name: name) else {
        throw ValidationError("--tests: there is no test `\(sides.first ?? "")`\(nearest(sides.first ?? ""))")
      }
      guard sides.count == 2 else { return DriftTestChoice(name: name, test: test) }
      guard let limit = Double(sides[1]), limit.isFinite, limit >= 0 else {
        throw ValidationError("--tests \(part): expected a limit that is not negative behind `=`")
      }
      return DriftTestChoice(name: name, test: test, limit: limit)
    }
  }

  private static func nearest(_ name: String) -> String {
    let spellings = DriftTest.allCases.map(\.rawValue) + ["jensenshannon", "chisquare", "totalvariation", "kl_div"]
    if let nearest = NearestName.of(name, in: spellings) { return "; did you mean `\(nearest)`?" }
    return ": expected \(DriftTest.allCases.map(\.rawValue).joined(separator: ", "))"
  }
}

extension DriftDefinition {
  var testNames: String { DriftTest.allCases.filter(supports).map(\.rawValue).joined(separator: ", ") }
}
