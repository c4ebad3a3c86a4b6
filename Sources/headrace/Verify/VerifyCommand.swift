internal import ArgumentParser
internal import Core
internal import OfflineStore
internal import Runtime
internal import Storage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Hold values that were served against the archive: the same events must give the same bits.",
    discussion: """
      A worker logs samples of what it serves (--parity-sample) to the tables served/SERVICE, with the offsets that \
      each row was made of. Here every one of them is made again from the archived events, by the code that serves, up \
      to these offsets and at the time of the read, and compared bit for bit. A difference has a cause: `version` (the \
      definition, or a default, is another one now), `ttl` (one of both is past the view's ttl), `code` (nothing \
      explains it: a fault). Values whose events are not archived yet are pending, not wrong.

      Beside that stands what people call skew: the served value against that of a training set at the same time, \
      which knows all events that had happened and were known (`unapplied`: some were in the log and not yet in the \
      row; `ahead`: the row had newer ones; `misplaced`: some lie in a partition where their key does not belong), and \
      against all events that had happened (`late`: some came after the read).

      Exit codes: 0 every difference is explained; 1 one is not, or it failed; 2 wrong usage.
      """)

  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @Option(help: "A service whose samples are looked at.") var service: String?
  @Option(help: "A view whose samples are looked at: reads that named no service. (default: all there are)")
  var view: String?
  @Option(help: ArgumentHelp("Leave out what was served before it.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Leave out what was served from it on.", valueName: "time")) var to: String?
  @Option(help: ArgumentHelp("The most vectors of each service, spread evenly. (default: all)", valueName: "n"))
  var sample: Int?
  @Option(help: ArgumentHelp("Mismatches that are shown of each feature and cause.", valueName: "n")) var examples = 1
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table
  @OptionGroup var schemas: TopologyOptions

  func validate() throws {
    for (flag, text) in [("--from", from), ("--to", to)] {
      if let text, RFC3339.milliseconds(text) == nil {
        throw ValidationError("\(flag) \(text): expected a date or an RFC 3339 time")
      }
    }
    guard service == nil || view == nil else { throw ValidationError("--service and --view: expected one of both") }
    if let sample, !(1...1_000_000_000).contains(sample) {
      throw ValidationError("--sample \(sample): expected 1 or more, up to 1000000000")
    }
    guard examples >= 0 else { throw ValidationError("--examples \(examples): expected 0 or more") }
  }

  func run() async throws {
    let plan = try schemas.load(topology)
    let store = try place.store()
    let specification = ParitySpecification(plan)
    let subjects = try subjects(in: store)
    var vectors: [ServedVector] = []
    var brokenRows = 0
    for subject in subjects {
      let read = try ServedTable.read(
        subject, in: store, from: from.flatMap { RFC3339.milliseconds($0) },
        to: to.flatMap { RFC3339.milliseconds($0) },
        limit: sample, specification)
      vectors += read.vectors
      brokenRows += read.brokenRows
    }
    var configuration = ParityCheck.Configuration()
    configuration.examplesPerKind = examples
    var report = try ParityCheck(specification, tables: store, configuration: configuration).run(vectors)
    report.brokenRows = brokenRows
    let text = VerifyReport(report, subjects: subjects)
    try StandardOutput.writeAll(output == .json ? text.json : Array(text.table.utf8))
    if report.unexplained > 0 || brokenRows > 0 { throw Ended(status: .failed) }
  }

  /// - Throws: SERVED_MISSING when nothing was ever logged of what is wanted.
  private func subjects(in store: any BlobStore) throws -> [String] {
    let found = try ServedTable.subjects(in: store)
    if let wanted = service ?? view {
      guard found.contains(wanted) else { throw missing("nothing that was served of `\(wanted)` is logged", found) }
      return [wanted]
    }
    guard !found.isEmpty else { throw missing("nothing that was served is logged", found) }
    return found
  }

  private func missing(_ what: String, _ found: [String]) -> HeadraceError {
    let logged = found.isEmpty ? "" : "logged is \(found.joined(separator: ", ")); "
    return HeadraceError(
      .user, "SERVED_MISSING", what, place: "served",
      remedy: logged + "let a worker with --parity-sample and tables answer requests first")
  }
}
