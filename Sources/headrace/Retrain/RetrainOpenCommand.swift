internal import ArgumentParser
internal import Core
internal import Registry
internal import Runtime
internal import Topology
internal import Training

struct RetrainOpenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Ask for a retraining by hand.",
    discussion: """
      It is trained on what there is, or on what there was at --until. Cooldown and budget do not hold it up; a policy \
      has one retraining at a time. Whoever asks cannot approve. Exit codes: 0 opened; 1 refused; 2 wrong usage; 3 the \
      broker is unreachable.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: "The policy.") var policy: String
  @Option(help: ArgumentHelp("The topology's name, where several have such a policy.", valueName: "name"))
  var topology: String?
  @Option(help: ArgumentHelp("The end of the dataset, in event time. (default: the newest event)", valueName: "time"))
  var until: String?
  @Option(help: ArgumentHelp("Why; kept with it.", valueName: "text")) var reason: String?
  @OptionGroup var actor: ActorOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws { _ = try end() }

  /// In event time; 0: what there is.
  private func end() throws -> Int64 {
    guard let until else { return 0 }
    guard let time = RFC3339.milliseconds(until) ?? Int64(until), time > 0 else {
      throw ValidationError("--until \(until): expected a date, an RFC 3339 time, or epoch milliseconds")
    }
    // Alarms and cooldowns count from it: a policy that was answered for up to 2099 would be silent until then.
    guard time <= WallClock.system.nowMilliseconds else {
      throw ValidationError("--until \(until): that is in the future, and nothing has happened there")
    }
    return time
  }

  func run() async throws {
    let end = try end()
    let cluster = try ClusterRegistry(connection)
    let (plan, found) = try RetrainingTarget.find(policy, topology: topology, try await cluster.snapshot())
    guard let use = plan.models[found.model].use else { return }
    var cause = RetrainingCause(
      kind: .byHand, trigger: "by_hand", streamMilliseconds: end, wallMilliseconds: WallClock.system.nowMilliseconds)
    cause.reason = String((reason ?? "").prefix(1_000))
    let key = PolicyWatch.key(topology: plan.name, policy: found.name)
    let retraining = Retraining(
      id: RetrainingID.byHand(policy: found.name), policy: key, model: use.model, cause: cause.json,
      openedBy: actor.actor, atMilliseconds: end)
    let command = RegistryCommand(
      actor: actor.actor, reason: reason ?? "", change: .openRetraining(retraining))
    try await cluster.send(command, place: key)
    switch output {
    case .table: try StandardOutput.writeLine("\(key): retraining \(retraining.id) is open")
    case .json:
      var writer = JSONWriter()
      writer.object { json in
        json.member("policy", key)
        json.member("retraining", retraining.id)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
  }
}

/// Policies by their names.
enum RetrainingTarget {
  /// - Throws: POLICY_NOT_FOUND, POLICY_AMBIGUOUS.
  static func find(
    _ name: String, topology: String?, _ snapshot: ClusterRegistry.Snapshot
  ) throws(HeadraceError) -> (Plan, PolicyPlan) {
    var found: [(Plan, PolicyPlan)] = []
    var names: [String] = []
    for applied in snapshot.plans where topology == nil || applied.topology == topology {
      guard case .success(let plan) = TopologyLoader.load(applied.document) else { continue }
      names += plan.policies.map(\.name)
      found += plan.policies.filter { $0.name == name || "\(plan.name).\($0.name)" == name }.map { (plan, $0) }
    }
    if found.count == 1 { return found[0] }
    guard found.isEmpty else {
      throw HeadraceError(
        .user, "POLICY_AMBIGUOUS", "several topologies have such a policy", place: name,
        remedy: "name one with --topology: \(found.map(\.0.name).joined(separator: ", "))")
    }
    let nearest = NearestName.of(name, in: names).map { "; did you mean `\($0)`?" } ?? ""
    throw HeadraceError(
      .user, "POLICY_NOT_FOUND", "no topology in force has such a policy\(nearest)", place: name,
      remedy: names.isEmpty
        ? "declare it under `policies:`, and start the topology with `headrace run`"
        : "there are \(names.joined(separator: ", "))")
  }
}
