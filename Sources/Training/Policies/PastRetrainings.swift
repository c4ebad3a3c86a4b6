internal import Core
package import Registry
package import Topology

/// What a policy did before: what its guards go by.
package struct PastRetrainings: Sendable {
  private let all: [(retraining: RegisteredRetraining, cause: RetrainingCause?)]

  /// - Parameter retrainings: of one policy, oldest first.
  package init(_ retrainings: [RegisteredRetraining]) {
    all = retrainings.map { ($0, RetrainingCause(json: $0.retraining.cause)) }
  }

  package var open: RegisteredRetraining? { all.last { $0.retraining.isOpen }?.retraining }

  /// Those that took a machine's time: one that a defect of the data stopped is none.
  private var trained: [(retraining: RegisteredRetraining, cause: RetrainingCause?)] {
    all.filter { $0.cause?.dataBug == nil }
  }

  var newestStream: Int64? { trained.map { Self.time($0.retraining) }.max() }
  var newestWall: Int64? { trained.compactMap { $0.cause?.wallMilliseconds }.max() }

  /// What was counted when the newest one was opened that knew it: one by hand does not.
  func newestRows(of source: String) -> Int64? { trained.last { $0.cause?.rows[source] != nil }?.cause?.rows[source] }

  func newestVersion(of table: String) -> Int64? {
    trained.last { $0.cause?.tableVersions[table] != nil }?.cause?.tableVersions[table]
  }

  /// Whether people were told of a defect of the data.
  func wasTold(bugSince: Int64, monitor: String) -> Bool {
    all.contains { $0.cause?.bugSinceMilliseconds == bugSince && $0.cause?.monitor == monitor }
  }

  /// When people were last told of refused records.
  func newestPage(of trigger: String) -> (id: String, streamMilliseconds: Int64)? {
    guard let page = all.last(where: { $0.cause?.kind == .contractBreach && $0.cause?.trigger == trigger }) else {
      return nil
    }
    return (page.retraining.retraining.id, page.retraining.retraining.atMilliseconds)
  }

  /// Windows that end here or earlier were answered for.
  var coveredUntil: Int64 {
    var covered = Int64.min
    for (retraining, _) in trained {
      covered = max(covered, Self.time(retraining))
      // What the former model saw while the new one was made.
      guard let last = retraining.steps.last, last.step == .done,
        let ended = WorkJSON.document(last.evidence)?["stream_ms"]?.integer
      else { continue }
      covered = max(covered, ended)
    }
    return covered
  }

  /// In event time: that of the cause; of one that was asked for by hand, what its dataset reaches to.
  private static func time(_ retraining: RegisteredRetraining) -> Int64 {
    let at = retraining.retraining.atMilliseconds
    guard at <= 0 else { return at }
    let evidence = retraining.steps.first { $0.step == .train }?.evidence ?? ""
    return DatasetResult(json: evidence)?.toMilliseconds ?? at
  }

  private static let week: Int64 = 7 * 86_400_000

  /// Whether cooldown or budget forbid another one now. Paging is never forbidden: a defect of the data costs nothing
  /// to tell.
  package func isBlocked(_ guards: PolicyGuards, _ cause: RetrainingCause) -> Bool {
    cause.dataBug == nil && !isAllowed(guards, at: cause.streamMilliseconds)
  }

  private func isAllowed(_ guards: PolicyGuards, at time: Int64) -> Bool {
    let times = trained.map { Self.time($0.retraining) }
    if let newest = times.max(), time < newest.sum(guards.cooldownMilliseconds) { return false }
    guard let runs = guards.runsPerWeek else { return true }
    return times.count { $0 > time.sum(-Self.week) } < runs
  }

  /// The first time from `start` on at which neither forbids one.
  func firstAllowed(_ guards: PolicyGuards, from start: Int64) -> Int64 {
    let times = trained.map { Self.time($0.retraining) }
    // Either ends at one of these times.
    let ends = times.flatMap { [$0.sum(guards.cooldownMilliseconds), $0.sum(Self.week)] }
    return ([start] + ends.filter { $0 > start }.sorted()).first { isAllowed(guards, at: $0) } ?? start
  }
}
