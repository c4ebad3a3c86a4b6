internal import ArgumentParser
internal import Core
internal import Topology

struct TestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run a topology on golden events, without a broker and without a clock.",
    discussion: """
      A golden file is JSON Lines, one step a line, in the order of the log; # begins a comment:

        {"case": "two departures of one carrier"}
        {"source": "departed", "event": {"carrier": "AA", "dep_delay": 20, "ts": 1357034400000}}
        {"source": "departed", "raw": "not json", "timestamp": 1357034400000}
        {"view": "carrier_departures", "key": ["AA"], "at": "2013-01-01T12:00:00Z", "features": {"flights_1h": 1}}
        {"view": "carrier_departures", "key": ["ZZ"], "at": "2013-01-01T12:00:00Z", "status": "NOT_FOUND"}
        {"counts": {"departed": {"applied": 1, "dead_lettered": 1}}}

      A feature may also be null, or {"about": 12.5, "within": 0.01} with a relative error. An expectation sees the \
      events above it in its case. Besides as it is written, every case is run with its events shuffled within the \
      source's lateness, duplicated (where the source deduplicates), and with some of them late: the features must be \
      the same. Events with a "timestamp" of their own stay where they are.

      Exit codes: 0 everything is as expected; 1 something is not, or a file is wrong; 2 wrong usage.
      """)

  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("The topology.", valueName: "file")) var file: String
  @Argument(
    help: ArgumentHelp(
      "Golden files. Default: the topology's name with .golden.jsonl, beside it.", valueName: "golden"))
  var golden: [String] = []
  @Option(help: "How many shuffles, duplications and delays are tried of each case.") var seeds = 3
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard (0...1_000).contains(seeds) else { throw ValidationError("--seeds \(seeds): expected 0 to 1000") }
  }

  func run() async throws {
    let plan = try topology.load(file)
    var run = GoldenRun(plan: plan, variants: GoldenVariant.all(seeds: seeds))
    let began = WallClock.monotonic.nowMilliseconds
    for path in golden.isEmpty ? [Self.goldenFile(beside: file)] : golden { try run.run(try GoldenFile(path: path)) }
    let milliseconds = WallClock.monotonic.nowMilliseconds - began
    switch output {
    case .table:
      for failure in run.failures {
        try StandardOutput.writeLine("FAILED \(failure.place): \(failure.message) [\(failure.variant)]")
      }
      try StandardOutput.writeLine(
        "\(run.cases) cases, \(run.expectations) expectations in \(run.variants.count) variants, "
          + "\(run.failures.count) failures (\(Figures.duration(milliseconds: milliseconds)))")
    case .json: try StandardOutput.writeAll(Self.json(run))
    }
    if !run.failures.isEmpty { throw Ended(status: .failed) }
  }

  /// `topologies/flights.yaml` → `topologies/flights.golden.jsonl`.
  static func goldenFile(beside file: String) -> String {
    let suffix = [".yaml", ".yml"].first { file.hasSuffix($0) } ?? ""
    return "\(file.dropLast(suffix.count)).golden.jsonl"
  }

  private static func json(_ run: GoldenRun) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      for (name, count) in [("cases", run.cases), ("expectations", run.expectations), ("variants", run.variants.count)]
      {
        writer.key(name)
        writer.number(count)
      }
      writer.key("failures")
      writer.array { writer in
        for failure in run.failures {
          writer.object { writer in
            for (name, text) in [
              ("place", failure.place), ("message", failure.message), ("variant", "\(failure.variant)"),
            ] {
              writer.key(name)
              writer.string(text)
            }
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
