internal import ArgumentParser
internal import Registry

/// What a rollout can be told: the same flags on `canary` and `shadow`.
struct GateOptions: ParsableArguments {
  @Option(
    name: .customLong("gate"),
    help: ArgumentHelp(
      "A limit that the version has to keep, such as score_drift<=0.1, feature_drift<=0.1, score_psi<=0.2, "
        + "error_rate<=0.01, latency_ms<=5 or disagreement<=0.1; repeatable.", valueName: "limit"))
  var gates: [String] = []
  @Option(help: ArgumentHelp("Over how many of its newest predictions the gates decide.", valueName: "n")) var window =
    1_000
  @Flag(help: "Promote it when all gates hold over the window, roll it back when one does not.") var automatic = false

  func validate() throws {
    _ = try rolloutGates()
    guard (1...10_000_000).contains(window) else { throw ValidationError("--window \(window): expected 1 to 10000000") }
    if automatic, gates.isEmpty { throw ValidationError("--automatic needs a --gate to decide by") }
  }

  func rolloutGates() throws -> [RolloutGate] {
    try gates.map { text in
      let parts = text.split(separator: "<", maxSplits: 1).map(String.init)
      let limit = parts.count == 2 && parts[1].hasPrefix("=") ? Double(parts[1].dropFirst()) : nil
      guard let metric = RolloutGate.Metric(rawValue: parts.first ?? ""), let limit, limit.isFinite, limit >= 0 else {
        let names = RolloutGate.Metric.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--gate \(text): expected METRIC<=NUMBER with one of \(names)")
      }
      return RolloutGate(metric: metric, atMost: limit, predictionsMin: window)
    }
  }

  var decides: Rollout.Decision { automatic ? .automatic : .byHand }
}

/// A share of the keys: `5%`, `0.05`.
struct KeyShareArgument: ExpressibleByArgument {
  let perMille: Int

  init?(argument: String) {
    let number = argument.hasSuffix("%") ? Double(argument.dropLast()).map { $0 / 100 } : Double(argument)
    guard let number, (0...1).contains(number) else { return nil }
    perMille = Int((number * 1_000).rounded())
  }
}
