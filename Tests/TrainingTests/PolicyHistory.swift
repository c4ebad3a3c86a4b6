import Core
import Registry
import Topology

@testable import Training

/// Everything that was ever told and done, and a naive reading of it: the whole history again for each look.
struct PolicyHistory {
  struct Look {
    var facts: PolicyWatch.StreamFacts
    /// The process that looks is a new one.
    var isFirst: Bool
    /// The newest page about refused records.
    var page: String?
    /// Triggers that waited for monitors.
    var waiting: Set<String> = []
    /// Triggers whose time had come while monitors were not late.
    var asked: Set<String> = []
  }

  /// What became of something that was opened.
  struct Past {
    var id: String
    var cause: RetrainingCause
    var isOpen = true
    /// Where the stream was when it was promoted; nil: it was not.
    var promotedAt: Int64?
  }

  struct Answer: Equatable {
    var kind: RetrainingCause.Kind
    var trigger: String
    var stream: Int64
    var bugSince: Int64?
    var isBug: Bool
  }

  static let week: Int64 = 7 * 86_400_000
  static let hour: Int64 = 3_600_000

  let plan: Plan
  var events: [DriftEvent] = []
  var looks: [Look] = []
  var past: [Past] = []
  var aliases: [Int] = [1]
  /// Of the first look of all.
  var firstStream: Int64?
  var firstWall: Int64?

  private var policy: PolicyPlan { plan.policies[0] }
  private var trained: [Past] { past.filter { $0.cause.dataBug == nil } }
  private var superseded: Set<Int> { Set(aliases).subtracting([aliases.last ?? 0]) }
  private var covered: Int64 {
    trained.flatMap { [$0.cause.streamMilliseconds, $0.promotedAt ?? .min] }.max() ?? .min
  }

  struct Window {
    var start: Int64
    var end: Int64
    var versions: Set<Int>
    var alarms: [(feature: String, isBug: Bool, reference: Set<Int>)] = []
    var isBroken: Bool { alarms.contains { $0.isBug } }
  }

  /// Windows of a kind in the order of time, each once.
  private func windows(_ monitor: String, performance: Bool) -> [Window] {
    var found: [Int64: Window] = [:]
    var seen: Set<String> = []
    for event in events where event.monitor == monitor && seen.insert(event.id).inserted {
      switch event.content {
      case .window(let alarms) where !performance:
        found[event.endMilliseconds] = Window(
          start: event.startMilliseconds, end: event.endMilliseconds, versions: event.versions,
          alarms: alarms.filter { !$0.isMuted }.map { ($0.feature, $0.isDataBug, $0.referenceVersions) })
      case .performance(let bounds) where performance:
        found[event.endMilliseconds] = Window(
          start: event.startMilliseconds, end: event.endMilliseconds, versions: event.versions,
          alarms: bounds.map { ($0, false, []) })
      default: break
      }
    }
    return found.values.sorted { $0.end < $1.end }
  }

  /// Windows that rang in a row, and everything before them that did.
  private func runs(_ windows: [Window]) -> (past: [[Window]], present: [Window]) {
    var (all, run): ([[Window]], [Window]) = ([], [])
    for window in windows {
      if window.alarms.isEmpty {
        all.append(run)
        run = []
      } else {
        run.append(window)
      }
    }
    return (all, run)
  }

  private func asking(_ monitor: String, performance: Bool) -> [Window] {
    var row: [Window] = []
    for window in runs(windows(monitor, performance: performance)).present where window.end > covered {
      let isFormer = !window.versions.isDisjoint(with: superseded)
      let isOnlyScore = window.alarms.allSatisfy {
        $0.feature == "prediction" && !$0.reference.isDisjoint(with: superseded)
      }
      if !window.isBroken, isFormer || isOnlyScore { row = [] } else { row.append(window) }
    }
    return row
  }

  private func bug(_ monitor: String, _ span: (Int64, Int64)?) -> Int64? {
    let (before, present) = runs(windows(monitor, performance: false))
    if let first = present.first(where: \.isBroken) { return first.start }
    guard let span else { return nil }
    for run in before.reversed() {
      guard let first = run.first(where: \.isBroken), let last = run.last else { continue }
      if first.start < span.1, last.end > span.0 { return first.start }
    }
    return nil
  }

  private func isAllowed(_ time: Int64) -> Bool {
    let times = trained.map(\.cause.streamMilliseconds)
    if times.contains(where: { time < $0 + policy.guards.cooldownMilliseconds }) { return false }
    guard let runs = policy.guards.runsPerWeek else { return true }
    return times.filter { $0 > time - Self.week }.count < runs
  }

  /// How far the stream is: what monitors told counts too.
  private var stream: Int64 {
    let own = looks.suffix(from: looks.lastIndex(where: \.isFirst) ?? 0)
    return max(
      events.map(\.endMilliseconds).max() ?? .min, own.compactMap(\.facts.streamMilliseconds).max() ?? .min)
  }

  private func asked(
    _ trigger: PolicyTrigger, _ look: Look
  ) -> (kind: RetrainingCause.Kind, stream: Int64, span: (Int64, Int64)?)? {
    let now = stream
    guard now > .min else { return nil }
    switch trigger {
    case .drift(let monitor, let count):
      let row = asking(plan.monitors[monitor].name, performance: false)
      return row.count >= count ? (.drift, row[row.count - 1].end, nil) : nil
    case .performance(let monitor, let count):
      let row = asking(plan.monitors[monitor].name, performance: true)
      guard row.count >= count else { return nil }
      return (.performance, row[row.count - 1].end, (row[row.count - count].start, row[row.count - 1].end))
    case .every(let period, true):
      let base = trained.map(\.cause.wallMilliseconds).max() ?? firstWall ?? .max
      return base < .max && look.facts.nowMilliseconds >= base + period ? (.schedule, now, nil) : nil
    case .every(let period, false):
      let told = events.filter { if case .ignored = $0.content { false } else { true } }.map(\.startMilliseconds).min()
      guard let base = trained.map(\.cause.streamMilliseconds).max() ?? [told, firstStream].compactMap(\.self).min()
      else { return nil }
      // Hour by hour: everything here is at whole hours.
      var due = base + period
      while due <= stream {
        if isAllowed(due) { return (.schedule, due, nil) }
        due += Self.hour
      }
      return nil
    case .rows(let source, let count):
      let name = plan.sources[source].name
      guard let rows = look.facts.rows[name] else { return nil }
      let counted = trained.last { $0.cause.rows[name] != nil }?.cause.rows[name] ?? 0
      return (counted > rows ? rows : rows - counted) >= count ? (.rows, now, nil) : nil
    case .newVersion(let table):
      guard let version = look.facts.tableVersions[table] else { return nil }
      let known = trained.last { $0.cause.tableVersions[table] != nil }?.cause.tableVersions[table]
      return version > known ?? -1 ? (.newVersion, now, nil) : nil
    case .contractBreach, .byHand: return nil
    }
  }

  /// Whether a breach is there, and whether people have yet to hear of it.
  private func breach(_ trigger: PolicyTrigger, _ look: Look) -> (isThere: Bool, isNews: Bool) {
    guard case .contractBreach(let source, let limit) = trigger else { return (false, false) }
    let name = plan.sources[source].name
    guard let share = look.facts.refusedShares[name], share > limit else { return (false, false) }
    guard let told = past.last(where: { $0.cause.kind == .contractBreach }) else { return (true, true) }
    if stream >= told.cause.streamMilliseconds + 24 * Self.hour { return (true, true) }
    // Looks of this process, behind the page.
    for seen in looks.reversed() {
      if let old = seen.facts.refusedShares[name], old <= limit { return (true, seen.page == told.id) }
      if seen.isFirst { break }
    }
    return (true, false)
  }

  /// Whether a monitor has told nothing of the time in front of `time`.
  private func isLate(_ time: Int64) -> Bool {
    plan.monitors.contains { monitor in
      let ends = events.filter { $0.monitor == monitor.name }.map(\.endMilliseconds)
      if let newest = ends.max() { return newest + 2 * monitor.windowMilliseconds < time }
      return firstStream.map { $0 + 4 * monitor.windowMilliseconds < time } ?? false
    }
  }

  /// Whether a trigger waits, for two minutes at most, for monitors that are late.
  private mutating func waits(_ trigger: String, _ time: Int64) -> Bool {
    guard isLate(time) else { return false }
    looks[looks.count - 1].waiting.insert(trigger)
    var since = looks[looks.count - 1].facts.nowMilliseconds
    for look in looks.reversed() {
      if look.asked.contains(trigger) || look.waiting.contains(trigger) {
        guard look.waiting.contains(trigger) else { break }
        since = look.facts.nowMilliseconds
      }
      if look.isFirst { break }
    }
    return looks[looks.count - 1].facts.nowMilliseconds - since < 120_000
  }

  /// What the newest look has to open.
  mutating func answer() -> Answer? {
    guard let look = looks.last, !past.contains(where: \.isOpen) else { return nil }
    let breaches = policy.triggers.map { breach($0, look) }
    for (trigger, breach) in zip(policy.triggers, breaches) {
      if breaches.contains(where: \.isThere) {
        guard breach.isNews else { continue }
        let now = stream > .min ? stream : look.facts.nowMilliseconds
        // The same place in the stream is the same page.
        if past.contains(where: { $0.cause.kind == .contractBreach && $0.cause.streamMilliseconds == now }) { continue }
        return Answer(kind: .contractBreach, trigger: plan.text(trigger), stream: now, bugSince: nil, isBug: true)
      }
      guard let asked = asked(trigger, look) else { continue }
      if trigger.monitor == nil {
        if waits(plan.text(trigger), asked.stream) { continue }
        if !isLate(asked.stream) { looks[looks.count - 1].asked.insert(plan.text(trigger)) }
      }
      if past.contains(where: {
        $0.cause.kind == asked.kind && $0.cause.trigger == plan.text(trigger) && $0.cause.bugSinceMilliseconds == nil
          && $0.cause.streamMilliseconds == asked.stream && $0.cause.dataBug == nil
      }) {
        continue
      }
      let bugs = plan.monitors.compactMap { monitor in
        bug(monitor.name, asked.span).map { (monitor: monitor.name, since: $0) }
      }
      let since = bugs.first?.since
      if let known = bugs.first {
        let isTold = past.contains {
          $0.cause.bugSinceMilliseconds == known.since && $0.cause.monitor == known.monitor
        }
        if isTold { continue }
      } else if !isAllowed(asked.stream) {
        continue
      }
      return Answer(
        kind: asked.kind, trigger: plan.text(trigger), stream: asked.stream, bugSince: since, isBug: since != nil)
    }
    return nil
  }
}
