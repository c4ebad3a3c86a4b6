internal import ArgumentParser
internal import Core
internal import OfflineStore
internal import OfflineStore

struct ExplainFeatureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feature",
    abstract: "Why the features of an entity are what they are.",
    discussion: """
      Read from the archive, as a training set at the time would have it: of events that had happened and were known. \
      Each feature comes with the event times of its window, the offsets of the records that count, of those that were \
      repaired (late, and counted all the same), and of those that came too late. The records that are named are \
      applied alone and read again: `verified` says that this gives the same bits.

      Exit codes: 0 every value is verified; 1 one is not, or it failed; 2 wrong usage.
      """)

  @Argument(help: "The view.") var view: String
  @Argument(help: ArgumentHelp("The key of its entity, as in `headrace query`.", valueName: "key")) var key: String
  @Option(help: ArgumentHelp("The time to explain: RFC 3339, a date, or epoch milliseconds.", valueName: "time"))
  var at: String
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Only these features. Default: all.", valueName: "feature"))
  var features: [String] = []
  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table
  @OptionGroup var schemas: TopologyOptions

  private var milliseconds: Int64? { Int64(at) ?? RFC3339.milliseconds(at) }

  func validate() throws {
    guard milliseconds != nil else {
      throw ValidationError("--at \(at): expected a date, an RFC 3339 time, or epoch milliseconds")
    }
  }

  func run() async throws {
    let plan = try schemas.load(topology, showsWarnings: false)
    let explaining = FeatureExplaining(plan: plan, tables: try place.store())
    let parts = try EntityArgument.parse(key, joinKeys: try explaining.joinKeys(of: view))
    let (row, values) = try explaining.explain(
      view: view, key: parts, atMilliseconds: milliseconds ?? 0, features: features)
    let text = ExplanationText()
    if output == .json {
      var writer = JSONWriter()
      text.write(row, key: values, note: nil, to: &writer)
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    } else {
      try StandardOutput.writeAll(Array(text.table(row, key: key, note: nil).utf8))
    }
    if row.features.contains(where: { !$0.isVerified }) { throw Ended(status: .failed) }
  }
}
