internal import ArgumentParser
internal import Core
internal import Kafka
internal import OfflineStore
internal import Storage
internal import Topology

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Read events of the past again: count them, or publish them into a topic.",
    discussion: """
      Events of the topology's sources with a time from --from up to, not including, --to are read in the order of \
      the log; partitions are merged by record time. --by event (the default) means when they happened, --by known \
      when they came. --read auto takes what is in the archive (events/SOURCE below --data or --tables) and the rest \
      from the log; archive and log take one of them.

      Without --into events are counted by outcome: a dry run, which writes nothing.

      With --into TOPIC they are published there: same key, placed by the source's partitioner, with the record's \
      time, and headers that say where each one comes from (headrace-src: TOPIC/PARTITION@OFFSET; headrace-replay). \
      Records from the log are copied byte for byte. The archive keeps values, not bytes: its events are JSON \
      documents of the contract, with all of its fields in its order; what the contract does not know, former headers, white \
      space and the way of writing a number are gone. Duplicates and records that break the contract are not in the \
      archive; those in the log that break it are left out too.

      Each event comes once: batches are transactions, and the place that is reached is committed with them for the \
      group headrace-replay-NAME. Whatever ends a replay (Ctrl-C, kill -9, a lost broker), the same command goes on \
      behind the last batch; readers need isolation.level=read_committed. A replay that is done is not done again \
      without --again. The source's topic must still exist in the cluster, empty or not.

      With --into TABLE, a name with a slash such as features/carriers, the features of a view (--view, or the one \
      that is called so) after each archived event are written there, as a worker would have served them then: a new view \
      has its history without waiting. The columns are those of the view's own history. Rows are committed together \
      with the offset that they reach (txn), so that they come once; a run that was ended reads from the beginning \
      again, because values depend on all that came before, and writes what is missing.

      Live work comes first: the process lowers its own priority (--nice 10), and publishes 20,000 events a second \
      unless --rate or --speed say otherwise. \(ExitStatus.help)
      """)

  enum Reading: String, ExpressibleByArgument, CaseIterable { case auto, archive, log }
  enum Clock: String, ExpressibleByArgument, CaseIterable { case event, known }

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @Option(
    name: .customLong("source"),
    help: ArgumentHelp("Only this source; repeatable. (default: all)", valueName: "name"))
  var sources: [String] = []
  @Option(help: ArgumentHelp("The first moment: RFC 3339, or a date. (default: the beginning)", valueName: "time"))
  var from: String?
  @Option(help: ArgumentHelp("The moment behind the last one. (default: the end, as it is now)", valueName: "time"))
  var to: String?
  @Option(help: "Which time of an event counts: event (it happened) or known (it came).") var by = Clock.event
  @Option(help: "auto, archive or log.") var read = Reading.auto
  @Option(help: ArgumentHelp("Publish or write there; made when missing.", valueName: "topic|table")) var into: String?
  @Option(help: ArgumentHelp("Whose features go into a table.", valueName: "view")) var view: String?
  @Option(help: "How many partitions a topic that is made gets. (default: as the source's)") var partitions: Int32?
  @Option(help: ArgumentHelp("Not faster than this. (default: 20k/s into a topic)", valueName: "n/s"))
  var rate: PublishRate?
  @Option(help: ArgumentHelp("As fast as the times of --by run, times this: 10x.", valueName: "factor"))
  var speed: ReplaySpeed?
  @Option(
    help: ArgumentHelp("Under which its progress is kept. (default: made of the other flags)", valueName: "name"))
  var name: String?
  @Flag(help: "Publish once more what was published before.") var again = false
  @Option(help: "How much the scheduler prefers everybody else: 0 to 19.") var nice: Int32 = 10
  @OptionGroup var place: TableOptions
  @OptionGroup var schemas: TopologyOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    for (flag, text) in [("--from", from), ("--to", to)] {
      if let text, RFC3339.milliseconds(text) == nil {
        throw ValidationError("\(flag) \(text): expected a date or an RFC 3339 time")
      }
    }
    let range = times
    guard range.lowerBound < range.upperBound else { throw ValidationError("--from must be earlier than --to") }
    if rate != nil && speed != nil { throw ValidationError("--rate and --speed exclude each other") }
    guard (0...19).contains(nice) else { throw ValidationError("--nice \(nice): expected 0 to 19") }
    if let partitions, partitions < 1 { throw ValidationError("--partitions \(partitions): expected at least 1") }
    if let into, !isTable { _ = try TopicName.parse(into) }
    if isTable {
      guard place.isGiven else {
        throw ValidationError("--into \(into ?? ""): --data DIR or --tables PLACE is missing: where the tables are")
      }
      guard read != .log, rate == nil, speed == nil, partitions == nil, !again, sources.isEmpty else {
        throw ValidationError("a table takes features of the archive: only --view, --from, --to, --by and --name apply")
      }
    } else if view != nil {
      throw ValidationError("--view is of use with --into TABLE only")
    }
    if into == nil, rate != nil || speed != nil || partitions != nil || again || name != nil {
      throw ValidationError("--rate, --speed, --partitions, --name and --again are of no use without --into")
    }
    if read == .archive && !place.isGiven {
      throw ValidationError("--read archive: --data DIR or --tables PLACE is missing: where the tables are")
    }
  }

  private var isTable: Bool { into?.contains("/") ?? false }

  private var times: Range<Int64> {
    let first = from.flatMap { RFC3339.milliseconds($0) } ?? .min
    return first..<max(to.flatMap { RFC3339.milliseconds($0) } ?? .max, first)
  }

  func run() async throws {
    let plan = try schemas.load(topology)
    let selection = try ReplaySelection(plan, sources: sources, times: times, clock: by, reading: read)
    let store = place.isGiven ? try place.store() : nil
    let stop = try TerminationSignal.watch()
    Priority.yield(niceness: nice)
    if let into, let store, isTable {
      let replay = try TableReplay(selection, store, view: view, into: into, name: name, stop)
      return try finish(try replay.run())
    }
    let client = try connection.clientConfiguration()
    var pace = rate?.pace ?? speed?.pace
    if into != nil { pace = pace ?? .rate(recordsPerSecond: Self.defaultRate) }
    var target: ReplayTarget?
    if let into {
      target = try await ReplayTarget.prepare(
        into, selection, partitions: partitions, name: name ?? selection.name(into: into), Admin(client))
    }
    let (repeats, paced) = (again, pace ?? .unlimited)
    let thread = try BlockingThread(name: "replay")
    let result = try await thread.run { [target] in
      guard let target else {
        return try ReplayCount(selection, store, client, stop).run()
      }
      return try TopicReplay(selection, store, client, target, paced, stop).run(again: repeats)
    }
    try finish(result)
  }

  private func finish(_ result: (report: ReplayReport, status: ExitStatus)) throws {
    let (report, status) = result
    switch output {
    case .table: try StandardOutput.writeAll(Array(report.text.utf8))
    case .json: try StandardOutput.writeAll(report.json)
    }
    StandardError.write(report.summary)
    guard status == .success else { throw Ended(status: status) }
  }

  private static let defaultRate: Double = 20_000
}
