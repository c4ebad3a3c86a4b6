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
  private var ignoredIDs: Set<String> = []
  /// By policy and trigger: the page behind which a share of refused records was seen that is none to tell.
  private var cleanSince: [String: String] = [:]
  /// By policy and trigger: since when, on the wall, monitors are waited for.
  private var waitingSince: [String: Int64] = [:]

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

  private func start(
    _ kind: RetrainingCause.Kind, _ trigger: PolicyTrigger, _ facts: StreamFacts, stream: Int64? = nil
  ) -> RetrainingCause {
    RetrainingCause(
      kind: kind, trigger: plan.text(trigger),
      streamMilliseconds: stream ?? (streamMilliseconds > .min ? streamMilliseconds : facts.nowMilliseconds),
      wallMilliseconds: facts.nowMilliseconds)
  }

  private mutating func cause(
    _ trigger: PolicyTrigger, _ facts: StreamFacts, _ policy: PolicyPlan, _ past: PastRetrainings,
    _ answering: AnsweringVersion
  ) -> RetrainingCause? {
    // A dataset ends where the stream is.
    guard streamMilliseconds > .min else { return nil }
    var span: (start: Int64, end: Int64)?
    let asked: RetrainingCause?
    switch trigger {
    case .drift(let monitor, let windows):
      asked = ringing(.drift, monitor, windows, past, answering, start(.drift, trigger, facts), &span)
    case .performance(let monitor, let windows):
      asked = ringing(.performance, monitor, windows, past, answering, start(.performance, trigger, facts), &span)
    case .every(let period, let isWallTime):
      asked = (isWallTime ? dueByWall(period, facts, past) : dueByStream(period, policy, past))
        .map { start(.schedule, trigger, facts, stream: $0) }
    case .rows(let source, let atLeast):
      let name = plan.sources[source].name
      asked = facts.rows[name].flatMap { rows in
        let counted = past.newestRows(of: name) ?? 0
        // A topic that was made anew counts from its beginning.
        return rows - (counted <= rows ? counted : 0) >= atLeast ? start(.rows, trigger, facts) : nil
      }
    case .newVersion(let table):
      asked = facts.tableVersions[table].flatMap { version in
        version > past.newestVersion(of: table) ?? -1 ? start(.newVersion, trigger, facts) : nil
      }
    case .contractBreach, .byHand: asked = nil
    }
    guard let asked, trigger.monitor != nil || isHeard(policy, asked, facts) else { return nil }
    return whole(asked, policy, past, span)
  }

  /// Whether monitors of the model have told what the data was like up to about a time: they read the same events by
  /// themselves, and must not be overtaken with broken ones. One that tells nothing any more is waited for a while.
  private mutating func isHeard(_ policy: PolicyPlan, _ cause: RetrainingCause, _ facts: StreamFacts) -> Bool {
    let isLate = plan.monitors.contains { monitor in
      guard monitor.model == policy.model, !monitor.tests.isEmpty else { return false }
      let window = monitor.windowMilliseconds
      if let told = monitors[monitor.name], told.newestEnd > .min {
        return told.newestEnd.sum(window).sum(window) < cause.streamMilliseconds
      }
      // Its first windows are the reference, and are not told.
      return beginnings.streamMilliseconds.map {
        $0.sum(window).sum(window).sum(window).sum(window) < cause.streamMilliseconds
      } ?? false
    }
    let key = "\(policy.name)/\(cause.trigger)"
    guard isLate else {
      waitingSince[key] = nil
      return true
    }
    let since = waitingSince[key] ?? facts.nowMilliseconds
    waitingSince[key] = since
    return facts.nowMilliseconds.sum(-since) >= Self.patience
  }

  /// As long as monitors wait for partitions without records, twice.
  private static let patience: Int64 = 120_000

  /// By the clock on the wall.
  private func dueByWall(_ period: Int64, _ facts: StreamFacts, _ past: PastRetrainings) -> Int64? {
    guard let base = past.newestWall ?? beginnings.wallMilliseconds, facts.nowMilliseconds >= base.sum(period) else {
      return nil
    }
    return streamMilliseconds
  }

  /// The time that it was due at, not the one at which somebody looked: the same for all who look. Guards put it off.
  private func dueByStream(_ period: Int64, _ policy: PolicyPlan, _ past: PastRetrainings) -> Int64? {
    let first = (monitors.values.map(\.firstStart) + [beginnings.streamMilliseconds ?? .max]).min() ?? .max
    guard let base = past.newestStream ?? (first < .max ? first : nil) else { return nil }
    let due = past.firstAllowed(policy.guards, from: base.sum(period))
    return streamMilliseconds >= due ? due : nil
  }

  private func ringing(
    _ lane: MonitorWindows.Lane, _ monitor: Int, _ count: Int, _ past: PastRetrainings, _ answering: AnsweringVersion,
    _ start: RetrainingCause, _ span: inout (start: Int64, end: Int64)?
  ) -> RetrainingCause? {
    let name = plan.monitors[monitor].name
    guard let windows = monitors[name] else { return nil }
    let all = windows.ringing(lane, after: past.coveredUntil)
    // In a row: behind the last one that does not count.
    let counting = all.suffix(from: (all.lastIndex { answering.reason(against: $0) != nil } ?? -1) + 1)
    guard counting.count >= count, let last = counting.last else { return nil }
    let asking = counting.suffix(count)
    var cause = start
    cause.monitor = name
    cause.streamMilliseconds = last.endMilliseconds
    cause.alarms = asking.flatMap(answering.alarms).map {
      .init(eventID: $0.eventID, feature: $0.feature, cause: $0.cause)
    }
    if lane == .performance { span = (asking.first?.startMilliseconds ?? last.startMilliseconds, last.endMilliseconds) }
    return cause
  }

  /// What asks for a training while the data is broken asks for people instead, once for each defect.
  ///
  /// - Parameter span: the time that was judged, where that is not the present.
  private func whole(
    _ cause: RetrainingCause, _ policy: PolicyPlan, _ past: PastRetrainings, _ span: (start: Int64, end: Int64)?
  ) -> RetrainingCause? {
    for monitor in plan.monitors where monitor.model == policy.model {
      guard let windows = monitors[monitor.name],
        let bug = windows.presentBug ?? span.flatMap({ windows.bug(from: $0.start, to: $0.end) })
      else { continue }
      if past.wasTold(bugSince: bug.sinceMilliseconds, monitor: monitor.name) { return nil }
      var page = cause
      page.monitor = monitor.name
      page.dataBug = bug.alarms.first?.cause ?? "data"
      page.bugSinceMilliseconds = bug.sinceMilliseconds
      page.alarms = bug.alarms.map { .init(eventID: $0.eventID, feature: $0.feature, cause: $0.cause) }
      return page
    }
    return cause
  }

  /// The same for the same cause, whoever finds it and however often.
  static func id(_ topology: String, _ policy: String, _ cause: RetrainingCause) -> String {
    // Monitors and schedules say when; the others are one at a time by their time.
    var text = "\(topology)/\(policy)/\(cause.kind.rawValue)/\(cause.trigger)/\(cause.streamMilliseconds)"
    // What is due waits until the data is whole: another retraining than the one that told of it.
    if let since = cause.bugSinceMilliseconds { text += "/\(since)" }
    return "\(policy.prefix(80))-\(RetrainingID.digest(text))"
  }
}

// What is passed over, and what monitors are told.
extension PolicyWatch {
  /// A window whose alarms say nothing of the version that answers.
  package struct Ignored: Sendable, Equatable {
    package var id: String
    package var policy: Int
    package var monitor: String
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var alarms: [String]
    package var reason: String
  }

  /// What triggers passed over and nobody was told of.
  package func ignored(_ registry: RegistryState) -> [Ignored] {
    plan.policies.indices.flatMap { index in
      let policy = plan.policies[index]
      let (past, answering) = (past(policy, registry), answering(policy, registry))
      return policy.triggers.flatMap { trigger -> [Ignored] in
        let lane: MonitorWindows.Lane
        let monitor: Int
        switch trigger {
        case .drift(let found, _): (lane, monitor) = (.drift, found)
        case .performance(let found, _): (lane, monitor) = (.performance, found)
        case .every, .rows, .newVersion, .contractBreach, .byHand: return []
        }
        let name = plan.monitors[monitor].name
        return (monitors[name]?.ringing(lane, after: past.coveredUntil) ?? []).compactMap { window in
          guard let reason = answering.reason(against: window) else { return nil }
          let id = "\(topology).\(policy.name)/ignored/\(name)/\(lane.rawValue)/\(window.endMilliseconds)"
          guard !ignoredIDs.contains(id) else { return nil }
          return Ignored(
            id: id, policy: index, monitor: name, startMilliseconds: window.startMilliseconds,
            endMilliseconds: window.endMilliseconds, alarms: window.alarms.map(\.eventID), reason: reason)
        }
      }
    }
  }

  /// A monitor whose reference knows the scores of a former version only.
  package struct Settlement: Sendable, Equatable {
    package var monitor: String
    package var atMilliseconds: Int64
  }

  /// Where the newest window of a monitor rings for nothing but what another version says, the monitor begins anew
  /// behind it. Told again it changes nothing.
  package func settlements(_ registry: RegistryState) -> [Settlement] {
    plan.monitors.compactMap { monitor in
      guard let policy = plan.policies.first(where: { $0.model == monitor.model }),
        let last = monitors[monitor.name]?.ringing(.drift, after: .min).last,
        answering(policy, registry).isOnlyAnotherVersion(last)
      else { return nil }
      return Settlement(monitor: monitor.name, atMilliseconds: last.endMilliseconds)
    }
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

extension PolicyTrigger {
  fileprivate var isBreach: Bool { if case .contractBreach = self { true } else { false } }
}

extension Int64 {
  /// Never past the ends of the numbers.
  func sum(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
