internal import Core
package import Registry
package import Topology

/// Decides when a policy opens a retraining: events of monitors and the state of the stream in, openings out.
///
/// It keeps nothing that cannot be read again: what monitors told is read from the beginning of its topic, what was
/// opened is in the registry, and where schedules begin is handed to it. An opening has an id that its cause gives, so
/// that two processes, or one before and after its death, open the same one once.
package struct PolicyWatch: Sendable {
  package let topology: String
  let plan: Plan
  var monitors: [String: MonitorWindows] = [:]
  /// What schedules count from while there is no retraining in front of them.
  package private(set) var beginnings: Beginnings
  private var newestStreamMilliseconds = Int64.min
  /// What policies passed over, and said so.
  private(set) var ignoredIDs: Set<String> = []
  /// By policy and trigger: the page behind which a share of refused records was seen that is none to tell.
  private var cleanSince: [String: String] = [:]
  /// By policy and trigger: since when, on the wall, monitors are waited for.
  var waitingSince: [String: Int64] = [:]

  /// When a plan's policies were first looked at: kept over restarts, which would put schedules off for ever.
  package struct Beginnings: Sendable, Equatable {
    package var streamMilliseconds: Int64?
    package var wallMilliseconds: Int64?

    package init(streamMilliseconds: Int64? = nil, wallMilliseconds: Int64? = nil) {
      self.streamMilliseconds = streamMilliseconds
      self.wallMilliseconds = wallMilliseconds
    }
  }

  package init(_ plan: Plan, beginnings: Beginnings = Beginnings()) {
    self.plan = plan
    self.beginnings = beginnings
    topology = plan.name
  }

  /// How the stream is, beside what monitors tell.
  package struct StreamFacts: Sendable {
    package var nowMilliseconds: Int64
    /// The least watermark of the tasks here; nil before the first record.
    package var streamMilliseconds: Int64?
    /// Records of each source, since its topic began.
    package var rows: [String: Int64] = [:]
    package var tableVersions: [String: Int64] = [:]
    /// The share of refused records of each source, lately.
    package var refusedShares: [String: Double] = [:]

    package init(nowMilliseconds: Int64) { self.nowMilliseconds = nowMilliseconds }
  }

  /// A retraining that is to be opened.
  package struct Opening: Sendable, Equatable {
    package var policy: Int
    package var retraining: Retraining
  }

  /// The name of a policy in the registry: several topologies share it.
  package static func key(topology: String, policy: String) -> String { "\(topology).\(policy)" }

  /// How far the stream is, as far as is known here.
  package var streamMilliseconds: Int64 {
    let told = monitors.values.map(\.newestEnd).max() ?? .min
    return max(told, newestStreamMilliseconds)
  }

  package mutating func take(_ event: DriftEvent) {
    if case .ignored = event.content { ignoredIDs.insert(event.id) }
    monitors[event.monitor, default: MonitorWindows()].take(event)
  }

  /// Notes that it was told that a policy passed over a window.
  package mutating func noteIgnored(_ id: String) { ignoredIDs.insert(id) }

  /// - Returns: what is to be opened now; nothing of policies that have one open.
  package mutating func decide(_ facts: StreamFacts, _ registry: RegistryState) -> [Opening] {
    if beginnings.wallMilliseconds == nil { beginnings.wallMilliseconds = facts.nowMilliseconds }
    if let stream = facts.streamMilliseconds {
      newestStreamMilliseconds = max(newestStreamMilliseconds, stream)
      if beginnings.streamMilliseconds == nil { beginnings.streamMilliseconds = stream }
    }
    return plan.policies.indices.compactMap { opening(of: $0, facts, registry) }
  }

  private mutating func opening(of index: Int, _ facts: StreamFacts, _ registry: RegistryState) -> Opening? {
    let policy = plan.policies[index]
    let past = past(policy, registry)
    guard let use = plan.models[policy.model].use else { return nil }
    let answering = answering(policy, registry)
    // Broken records first: while there are many nothing is trained, whatever else asks for it.
    let breach = breach(policy, facts, past)
    guard past.open == nil else { return nil }
    for trigger in policy.triggers {
      if breach != nil, !trigger.isBreach { continue }
      let asked = trigger.isBreach ? breach.flatMap { $0.cause } : cause(trigger, facts, policy, past, answering)
      guard var cause = asked, !past.isBlocked(policy.guards, cause) else { continue }
      cause.rows = facts.rows
      cause.tableVersions = facts.tableVersions
      let retraining = Retraining(
        id: Self.id(topology, policy.name, cause), policy: Self.key(topology: topology, policy: policy.name),
        model: use.model, cause: cause.json, openedBy: "policy \(policy.name)",
        atMilliseconds: cause.streamMilliseconds)
      guard registry.retrainings[retraining.id] == nil else { continue }
      return Opening(policy: index, retraining: retraining)
    }
    return nil
  }

  func past(_ policy: PolicyPlan, _ registry: RegistryState) -> PastRetrainings {
    PastRetrainings(registry.retrainings(policy: Self.key(topology: topology, policy: policy.name)))
  }

  func answering(_ policy: PolicyPlan, _ registry: RegistryState) -> AnsweringVersion {
    guard let use = plan.models[policy.model].use, case .alias(let alias) = use.selector else {
      return AnsweringVersion(current: nil, superseded: [])
    }
    return AnsweringVersion(registry[use.model]?.aliases[alias])
  }

  /// Too many refused records: whether there are, and what is to be told of it, once until there were few again, and
  /// once more after a day.
  private mutating func breach(
    _ policy: PolicyPlan, _ facts: StreamFacts, _ past: PastRetrainings
  ) -> (trigger: PolicyTrigger, cause: RetrainingCause?)? {
    var found: (trigger: PolicyTrigger, cause: RetrainingCause?)?
    for trigger in policy.triggers {
      guard case .contractBreach(let source, let limit) = trigger,
        let share = facts.refusedShares[plan.sources[source].name]
      else { continue }
      let text = plan.text(trigger)
      let key = "\(policy.name)/\(text)"
      let told = past.newestPage(of: text)
      guard share > limit else {
        cleanSince[key] = told?.id ?? ""
        continue
      }
      var cause = start(.contractBreach, trigger, facts)
      cause.dataBug = "contract"
      cause.alarms = [.init(eventID: "", feature: plan.sources[source].name, cause: "contract")]
      let isTold =
        told.map { told in
          cleanSince[key] != told.id && cause.streamMilliseconds < told.streamMilliseconds.sum(Self.reminder)
        } ?? false
      if found?.cause == nil { found = (trigger, isTold ? nil : cause) }
    }
    return found
  }

  private static let reminder: Int64 = 86_400_000

  /// The same for the same cause, whoever finds it and however often.
  static func id(_ topology: String, _ policy: String, _ cause: RetrainingCause) -> String {
    // Monitors and schedules say when; the others are one at a time by their time.
    var text = "\(topology)/\(policy)/\(cause.kind.rawValue)/\(cause.trigger)/\(cause.streamMilliseconds)"
    // What is due waits until the data is whole: another retraining than the one that told of it.
    if let since = cause.bugSinceMilliseconds { text += "/\(since)" }
    return "\(policy.prefix(80))-\(RetrainingID.digest(text))"
  }
}

extension PolicyTrigger {
  fileprivate var isBreach: Bool { if case .contractBreach = self { true } else { false } }
}
