internal import Drift
internal import Glibc

/// Gives other programs what `Drift` computes, for comparison with other libraries: `headrace-drift-probe COMMAND …`.
///
/// Tables are CSV with a header; an empty field is missing; columns whose name begins with `c` are categories. Answers
/// are lines of tab-separated fields on standard output.
@main
struct Main {
  static func main() {
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      guard let command = arguments.first else { throw ProbeError(message: "no command") }
      try run(command, Array(arguments.dropFirst()))
    } catch let error as ProbeError {
      print("error: \(error.message)")
      exit(2)
    } catch {
      print("error: \(error)")
      exit(2)
    }
  }

  private static func run(_ command: String, _ arguments: [String]) throws {
    switch command {
    case "compare": try CompareProbe.run(arguments)
    case "profiles": try ProfileProbe.run(arguments)
    case "distributions": try DistributionProbe.run(arguments)
    case "detect": try DetectorProbe.run(arguments)
    case "scores": try PerformanceProbe.scores(arguments)
    case "regression": try PerformanceProbe.regression(arguments)
    case "cbpe": try PerformanceProbe.estimate(arguments)
    default: throw ProbeError(message: "unknown command \(command)")
    }
  }
}

struct ProbeError: Error {
  var message: String
}
