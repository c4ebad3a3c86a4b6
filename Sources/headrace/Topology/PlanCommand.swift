internal import ArgumentParser
internal import Core
internal import Features
internal import Kafka
internal import OnlineStore
internal import Topology

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Check a topology, and show what it would do.",
    discussion: """
      Prints topics, tasks, repartition topics, views with their tiles, how much state they will hold, services, and, \
      where a broker answers, the difference to the plan that runs. Nothing is changed. Everything that is wrong with \
      the file is told at once, with file:line:column.

      State is estimated by making some: events of a few hundred made-up keys go through the engine into a store in \
      TMPDIR, which is compacted, weighed and deleted. --keys, --events-per-hour and --skew say what to assume:

        headrace plan FILE --keys 5M
        headrace plan FILE --keys user=5M merchant=20k --events-per-hour 0.5

      With --data or --tables, and a broker, it says how far back the events of each source reach, in the archive and \
      in the log, and from when on a new view can be built.

      A change that would break a service in use is refused: exit code 1. \(ExitStatus.help)
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("The topology.", valueName: "file")) var file: String
  @Flag(help: "Do not ask a broker: no partition counts, no difference to what runs.") var offline = false
  @Option(
    name: .customLong("keys"), parsing: .upToNextOption,
    help: ArgumentHelp("How many keys: of every entity, or of one. (default: 1M)", valueName: "n|entity=n"))
  var keys: [KeyCount] = []
  @Option(
    help: ArgumentHelp("Events an hour of a key of the largest entity, on average. (default: 1)", valueName: "n"))
  var eventsPerHour: Double?
  @Option(
    help: ArgumentHelp(
      "The k-th busiest key has 1/k^SKEW of the events of the busiest; 0: all alike. (default: 1)", valueName: "skew"))
  var skew: Double?
  @Option(
    name: .customLong("retire"),
    help: ArgumentHelp("A service that nobody uses any more: it may change or go; repeatable.", valueName: "service"))
  var retired: [String] = []
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    if let eventsPerHour, !(eventsPerHour > 0 && eventsPerHour <= 1e9) {
      throw ValidationError("--events-per-hour \(eventsPerHour): expected a number above 0, up to 1e9")
    }
    if let skew, !(0...5).contains(skew) { throw ValidationError("--skew \(skew): expected a number from 0 to 5") }
    if keys.count(where: { $0.entity == nil }) > 1 {
      throw ValidationError("--keys: one number for every entity, others as entity=n")
    }
  }

  func run() async throws {
    // What a file is worth is said before anybody is asked; its name tells whom to ask about.
    var plan = try topology.load(file)
    let running = offline ? nil : try await RunningPlan.find(of: plan.name, connection)
    if let frozen = running?.plan?.document.frozenServices, !frozen.isEmpty {
      plan = try topology.load(file, frozenServices: frozen, showsWarnings: false)
    }
    try running?.check(retired: retired)
    let diff = running?.plan.map { PlanDiff(old: $0, new: plan, retired: Set(retired)) }
    let counts = running?.partitionCounts ?? [:]
    let history = try await history(of: plan, running)
    let report = PlanReport(
      plan: plan, diff: diff, state: try weigh(plan), history: history, partitionCounts: counts)
    switch output {
    case .table: try StandardOutput.writeAll(Array(report.text.utf8))
    case .json: try StandardOutput.writeAll(report.json + [UInt8(ascii: "\n")])
    }
    let problems = plan.check(partitionCounts: counts)
    for problem in problems { StandardError.write("\(problem)") }
    let retention = try await running?.retention(of: plan, connection.clientConfiguration()) ?? []
    for finding in retention { finding.tell() }
    let isRefused = diff?.isRefused == true
    if isRefused { StandardError.write("error: the change would break a service in use; see above") }
    guard !isRefused, retention.worst < .error, !problems.contains(where: { $0.severity == .error }) else {
      throw Ended(status: .failed)
    }
  }
}

extension PlanCommand {
  /// nil where neither tables nor topics are there to be asked.
  private func history(of plan: Plan, _ running: RunningPlan?) async throws -> HistoryReport? {
    let store = place.isGiven ? try place.store() : nil
    guard running != nil || store != nil else { return nil }
    let client = running == nil ? nil : try connection.clientConfiguration()
    let topics = running.map { Set($0.partitionCounts.keys) } ?? []
    return try await BlockingThread(name: "history").run {
      try HistoryReport(of: plan, store, client, topics: topics)
    }
  }

  /// nil, and a word on stderr, where no scratch folder can be written: the rest of the report needs none.
  private func weigh(_ plan: Plan) throws -> StateReport? {
    var assumptions = StateAssumptions()
    if let eventsPerHour { assumptions.eventsPerHour = eventsPerHour }
    if let skew { assumptions.skew = skew }
    for key in keys {
      guard let entity = key.entity else {
        assumptions.keys = key.count
        continue
      }
      guard plan.entities.contains(where: { $0.name == entity }) else {
        throw ValidationError(
          "--keys \(entity)=\(key.count): there is no entity \(entity); "
            + "expected one of \(plan.entities.map(\.name).joined(separator: ", "))")
      }
      assumptions.keysByEntity[entity] = key.count
    }
    do {
      return try StateReport(weighing: plan, assumptions)
    } catch {
      StandardError.write("note: state is not estimated: \(error)")
      return nil
    }
  }
}

extension StateReport {
  init(weighing plan: Plan, _ assumptions: StateAssumptions) throws(HeadraceError) {
    var views: [StateEstimate] = []
    for view in plan.views {
      views.append(try StateSample.estimate(view.layout, assumptions.population(of: view, in: plan)))
    }
    var ids: [StateEstimate?] = []
    for (index, source) in plan.sources.enumerated() {
      guard let dedupe = source.dedupe else {
        ids.append(nil)
        continue
      }
      let rate = assumptions.eventsPerHour(ofSource: index, in: plan)
      ids.append(
        try StateSample.estimate(idsWithinMilliseconds: dedupe.withinMilliseconds, eventsPerHour: rate))
    }
    self.init(assumptions: assumptions, views: views, ids: ids)
  }
}

/// `100k`, `1M`, `user=5M`, or the number alone.
struct KeyCount: ExpressibleByArgument, Equatable {
  /// nil: of every entity.
  var entity: String?
  var count: Int

  init?(argument: String) {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count <= 2, let text = parts.last, parts.count == 1 || !parts[0].isEmpty else { return nil }
    let scale = text.last.flatMap { ["k": 1_000, "M": 1_000_000][$0] }
    let digits = scale == nil ? text : text.dropLast()
    guard let number = Int(digits), number > 0 else { return nil }
    let (count, overflow) = number.multipliedReportingOverflow(by: scale ?? 1)
    guard !overflow else { return nil }
    self.count = count
    entity = parts.count == 2 ? String(parts[0]) : nil
  }
}
