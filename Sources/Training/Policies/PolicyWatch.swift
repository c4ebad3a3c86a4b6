internal import Core
package import Registry
package import Topology

/// Decides when a policy opens a retraining: events of monitors and the state of the stream in, openings out.
///
/// It keeps nothing that cannot be read again: what monitors told is read from the beginning of its topic, and what was
/// opened is in the registry. An opening has an id that its cause gives, so that two processes, or one before and after
/// its death, open the same one once.
package struct PolicyWatch: Sendable {
  package let topology: String
  private let plan: Plan
  private var monitors: [String: MonitorWindows] = [:]
  /// Where the stream was first seen, for schedules without anything in front of them.
  private var firstStreamMilliseconds: Int64?
  private var newestStreamMilliseconds = Int64.min

  package init(_ plan: Plan) {
    self.plan = plan
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
    /// Retrainings after which monitors were told to begin anew, and how far the stream was then.
    package var settled: [String: Int64] = [:]

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

  package mutating func take(_ event: DriftEvent) { monitors[event.monitor, default: MonitorWindows()].take(event) }

  /// - Returns: what is to be opened now; nothing of policies that have one open.
  package mutating func decide(_ facts: StreamFacts, _ registry: RegistryState) -> [Opening] {
    if let stream = facts.streamMilliseconds {
      newestStreamMilliseconds = max(newestStreamMilliseconds, stream)
      if firstStreamMilliseconds == nil { firstStreamMilliseconds = stream }
    }
    return plan.policies.indices.compactMap { opening(of: $0, facts, registry) }
  }

  /// A monitor whose reference knows the scores of the former version only.
  package struct Settlement: Sendable, Equatable {
    package var retraining: String
    package var monitor: String
    package var atMilliseconds: Int64
  }

  /// After a promotion the first windows that the new version alone has scored may ring: for what it says, which is
  /// another model's, not for the world. The monitor begins anew with them, once.
  package func settlements(_ settled: [String: Int64], _ registry: RegistryState) -> [Settlement] {
    plan.policies.compactMap { policy in
      let past = PastRetrainings(registry.retrainings(policy: Self.key(topology: topology, policy: policy.name)))
      guard let (id, ended) = past.newestPromotion, settled[id] == nil else { return nil }
      for monitor in policy.triggers.compactMap(\.monitor) {
        let name = plan.monitors[monitor].name
        if let last = monitors[name]?.ringing(.drift, after: ended).last {
          return Settlement(retraining: id, monitor: name, atMilliseconds: last.endMilliseconds)
        }
      }
      return nil
    }
  }

  private func opening(of index: Int, _ facts: StreamFacts, _ registry: RegistryState) -> Opening? {
    let policy = plan.policies[index]
    let past = PastRetrainings(
      registry.retrainings(policy: Self.key(topology: topology, policy: policy.name)), settled: facts.settled)
    guard past.open == nil, let use = plan.models[policy.model].use else { return nil }
    for trigger in policy.triggers {
      guard var cause = cause(trigger, facts, past), !past.isBlocked(policy.guards, cause) else { continue }
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

  private func cause(_ trigger: PolicyTrigger, _ facts: StreamFacts, _ past: PastRetrainings) -> RetrainingCause? {
    let now = facts.nowMilliseconds
    func make(_ kind: RetrainingCause.Kind, stream: Int64? = nil) -> RetrainingCause {
      RetrainingCause(
        kind: kind, trigger: plan.text(trigger), streamMilliseconds: stream ?? streamOrWall(now),
        wallMilliseconds: now)
    }
    switch trigger {
    case .drift(let monitor, let windows): return ringing(.drift, monitor, windows, past, make(.drift))
    case .performance(let monitor, let windows):
      return ringing(.performance, monitor, windows, past, make(.performance))
    case .every(let period, let isWallTime):
      let due: Int64?
      if isWallTime {
        due = (past.newestWall ?? facts.nowMilliseconds - period).addingClamped(period)
        return due.map { now >= $0 } ?? false ? make(.schedule) : nil
      }
      let first = monitors.values.map(\.firstStart).filter { $0 < .max }.min() ?? firstStreamMilliseconds
      guard let base = past.newestStream ?? first, streamMilliseconds > .min else { return nil }
      // The time that it was due at, not the one at which somebody looked: the same for all who look.
      let reached = base.addingClamped(period)
      return streamMilliseconds >= reached ? make(.schedule, stream: reached) : nil
    case .rows(let source, let atLeast):
      let name = plan.sources[source].name
      guard let rows = facts.rows[name], rows - (past.newest?.rows[name] ?? 0) >= atLeast else { return nil }
      return make(.rows)
    case .newVersion(let table):
      guard let version = facts.tableVersions[table], version > past.newest?.tableVersions[table] ?? -1 else {
        return nil
      }
      return make(.newVersion)
    case .contractBreach(let source, let share):
      guard let refused = facts.refusedShares[plan.sources[source].name], refused > share else { return nil }
      var cause = make(.contractBreach)
      cause.dataBug = "contract"
      cause.alarms = [.init(eventID: "", feature: plan.sources[source].name, cause: "contract")]
      return cause
    case .byHand: return nil
    }
  }

  private func ringing(
    _ lane: MonitorWindows.Lane, _ monitor: Int, _ count: Int, _ past: PastRetrainings, _ start: RetrainingCause
  ) -> RetrainingCause? {
    let name = plan.monitors[monitor].name
    guard let windows = monitors[name] else { return nil }
    let ringing = windows.ringing(lane, after: past.coveredUntil)
    guard ringing.count >= count, let last = ringing.last else { return nil }
    // People were told of this bug, and it is still there.
    if let stopped = past.newest, stopped.dataBug != nil, windows.cleanEnd(lane) < stopped.streamMilliseconds,
      lane == .drift
    {
      return nil
    }
    var cause = start
    cause.monitor = name
    cause.streamMilliseconds = last.endMilliseconds
    let alarms = ringing.suffix(count).flatMap(\.alarms)
    cause.alarms = alarms.map { .init(eventID: $0.eventID, feature: $0.feature, cause: $0.cause) }
    cause.dataBug = alarms.first(where: \.isDataBug)?.cause
    return cause
  }

  private func streamOrWall(_ now: Int64) -> Int64 { streamMilliseconds > .min ? streamMilliseconds : now }

  /// The same for the same cause, whoever finds it and however often.
  static func id(_ topology: String, _ policy: String, _ cause: RetrainingCause) -> String {
    // Monitors and schedules say when; the others are one at a time by their time.
    let text = "\(topology)/\(policy)/\(cause.kind.rawValue)/\(cause.trigger)/\(cause.streamMilliseconds)"
    return "\(policy.prefix(80))-\(RetrainingID.digest(text))"
  }
}

/// Ids of retrainings.
package enum RetrainingID {
  /// 64 bits in hexadecimal.
  package static func digest(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let hash = unsafe Hash64.hash(bytes.span.bytes)
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  /// Of one that a person asks for.
  package static func byHand(policy: String) -> String {
    "\(policy.prefix(80))-\(RegistryCommand.newID().prefix(16))"
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
