internal import ArgumentParser
internal import Core
internal import Kafka
internal import Registry
internal import Runtime
internal import Topology

struct CorrectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "correct",
    abstract: "Make predictions of the past again by another version, and publish them as later revisions.",
    discussion: """
      Of the events from --from up to, not including, --to (offsets of the model's input; \
      PARTITION:OFFSET,PARTITION:OFFSET where partitions differ) the newest predictions are scored again, on the \
      features that they recorded (`features: full`). What is not by the version yet goes to the prediction topic once \
      more: the same `id`, `revision` one more, `corrects` the offset of what it takes the place of. Who reads the \
      topic takes the newest revision.

      Corrections go out in transactions, the last one with a record of the control topic: who corrected what, and \
      why. After a kill the same command goes on, and doubles nothing; when all is done it does nothing.

      Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the broker is unreachable.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("The model, as its topology calls it.", valueName: "name")) var model: String
  @Option(help: ArgumentHelp("The first event: an offset, or PARTITION:OFFSET,…", valueName: "offset")) var from:
    String?
  @Option(help: ArgumentHelp("Behind the last event: an offset, or PARTITION:OFFSET,…", valueName: "offset"))
  var to: String?
  @Option(help: ArgumentHelp("The partition that --from and --to count in.", valueName: "n")) var partition: Int32?
  @Option(help: ArgumentHelp("N, or @ALIAS: which version says it anew.", valueName: "version")) var version =
    "@champion"
  @Option(help: ArgumentHelp("Why; kept with the corrections.", valueName: "text")) var reason: String?
  @Option(help: ArgumentHelp("The topology, if several have such a model.", valueName: "name")) var topology: String?
  @Flag(help: "Publish nothing, and say what would change.") var dryRun = false
  @Flag(help: "List the corrections of the model that there were.") var list = false
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard !list else { return }
    guard place.isGiven else {
      throw ValidationError("--data DIR or --tables PLACE is missing: where the workers have their tables")
    }
    guard from != nil, to != nil else { throw ValidationError("--from and --to are missing: which events") }
  }

  func run() async throws {
    let cluster = try ClusterRegistry(connection)
    let client = cluster.client
    if list {
      let name = model
      let records = try await BlockingThread(name: "correct").run { try ControlLog(client).corrections(model: name) }
      return try CorrectionText.tell(records, output)
    }
    let snapshot = try await cluster.snapshot()
    let (plan, index) = try find(in: snapshot)
    let version = try version(of: plan.models[index], in: snapshot)
    let store = try place.store()
    let (name, by, why) = (plan.sources[plan.models[index].source].topic, ClusterRegistry.actor, reason ?? "")
    let (from, to, partition, isDryRun) = (from ?? "", to ?? "", partition, dryRun)
    let report = try await BlockingThread(name: "correct").run {
      let ranges = try CorrectionRanges.parse(
        from: from, to: to, partition: partition, log: try LogRange.all(of: name, client))
      let request = CorrectionRequest(
        plan: plan, model: index, version: version, ranges: ranges, actor: by, reason: why)
      let correction = try PredictionCorrection(request, client, store: store)
      return try correction.run(try ControlLog(client), isDryRun: isDryRun)
    }
    try CorrectionText.tell(report, version: version, isDryRun: dryRun, output)
  }

  private func find(in snapshot: ClusterRegistry.Snapshot) throws -> (Plan, Int) {
    var found: [(Plan, Int)] = []
    var names: [String] = []
    for applied in snapshot.plans where topology == nil || applied.topology == topology {
      guard case .success(let plan) = TopologyLoader.load(applied.document) else { continue }
      names += plan.models.map(\.name)
      if let index = plan.models.firstIndex(where: { $0.name == model && $0.stream != nil }) {
        found.append((plan, index))
      }
    }
    guard let first = found.first else {
      throw HeadraceError(
        .user, "NO_SUCH_MODEL", "no topology that runs has a model of that name that scores events", place: model,
        remedy: NearestName.of(model, in: names).map { "did you mean `\($0)`?" } ?? "apply its topology first")
    }
    guard found.count == 1 else {
      throw HeadraceError(
        .user, "MODEL_AMBIGUOUS", "several topologies have such a model", place: model,
        remedy: "--topology one of \(found.map(\.0.name).joined(separator: ", "))")
    }
    return first
  }

  private func version(of model: ModelPlan, in snapshot: ClusterRegistry.Snapshot) throws -> ModelVersion {
    guard let name = model.use?.model else {
      throw HeadraceError(
        .user, "NOT_REGISTERED", "the model is a file or an endpoint, and has no other versions", place: model.name,
        remedy: "`use: name@alias` in the topology makes it one of the registry")
    }
    let registered = try snapshot.model(name)
    if version.hasPrefix("@") {
      return try snapshot.version(try snapshot.current(String(version.dropFirst()), of: registered), of: registered)
    }
    guard let number = Int(version) else {
      throw ValidationError("--version \(version): expected a number, or @ALIAS")
    }
    return try snapshot.version(number, of: registered)
  }
}

/// Which events, as the flags say it.
enum CorrectionRanges {
  /// - Parameter log: of the events, as it is now.
  static func parse(
    from: String, to: String, partition: Int32?, log: [LogRange]
  ) throws -> [Int32: Range<Int64>] {
    let known = Dictionary(log.map { ($0.partition.partition, $0.offsets) }) { first, _ in first }
    let starts = try offsets(from, "--from", partition, known)
    let ends = try offsets(to, "--to", partition, known)
    guard Set(starts.keys) == Set(ends.keys) else {
      throw ValidationError("--from and --to name different partitions")
    }
    var ranges: [Int32: Range<Int64>] = [:]
    for (partition, start) in starts {
      guard let end = ends[partition], start < end else {
        throw ValidationError("partition \(partition): --to must lie behind --from")
      }
      ranges[partition] = start..<end
    }
    return ranges
  }

  private static func offsets(
    _ text: String, _ flag: String, _ partition: Int32?, _ known: [Int32: Range<Int64>]
  ) throws -> [Int32: Int64] {
    var found: [Int32: Int64] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: ":", omittingEmptySubsequences: false)
      let number = sides.count == 2 ? Int32(sides[0]) : partition ?? (known.count == 1 ? known.keys.first : nil)
      guard sides.count <= 2, let offset = sides.last.flatMap({ Int64($0) }), offset >= 0 else {
        throw ValidationError("\(flag) \(text): expected an offset, or PARTITION:OFFSET,PARTITION:OFFSET")
      }
      guard let number else {
        throw ValidationError("\(flag) \(text): there are \(known.count) partitions; name one by --partition")
      }
      guard known[number] != nil, found[number] == nil else {
        throw ValidationError("\(flag) \(text): partition \(number) is not there, or comes twice")
      }
      found[number] = offset
    }
    return found
  }
}
