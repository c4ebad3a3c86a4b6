internal import Core
internal import Registry
internal import Topology

// What each trigger asks for, and what its data says against it.
extension PolicyWatch {
  func start(
    _ kind: RetrainingCause.Kind, _ trigger: PolicyTrigger, _ facts: StreamFacts, stream: Int64? = nil
  ) -> RetrainingCause {
    RetrainingCause(
      kind: kind, trigger: plan.text(trigger),
      streamMilliseconds: stream ?? (streamMilliseconds > .min ? streamMilliseconds : facts.nowMilliseconds),
      wallMilliseconds: facts.nowMilliseconds)
  }

  mutating func cause(
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
}
