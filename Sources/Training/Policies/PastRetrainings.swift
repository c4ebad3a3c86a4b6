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

  /// The cause of the newest one, whatever became of it.
  var newest: RetrainingCause? { all.last?.cause }

  /// Those that took a machine's time: one that a data bug stopped is none.
  private var trained: [(retraining: RegisteredRetraining, cause: RetrainingCause?)] {
    all.filter { $0.cause?.dataBug == nil }
  }

  var newestStream: Int64? { trained.map { Self.time($0.retraining) }.max() }
  var newestWall: Int64? { trained.compactMap { $0.cause?.wallMilliseconds }.max() }

  /// Windows that end here or earlier were answered for.
  var coveredUntil: Int64 {
    var covered = Int64.min
    for (retraining, cause) in all {
      covered = max(covered, Self.time(retraining))
      guard cause?.dataBug == nil, let last = retraining.steps.last, last.step.isTerminal else { continue }
      // What the former model saw while the new one was made.
      let ended = WorkJSON.document(last.evidence)?["stream_ms"]?.integer
      if last.step == .done, let ended { covered = max(covered, ended) }
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

  /// Whether cooldown or budget forbid another one now. Paging is never forbidden: a data bug costs nothing to tell.
  package func isBlocked(_ guards: PolicyGuards, _ cause: RetrainingCause) -> Bool {
    if cause.dataBug != nil { return false }
    let times = trained.map { Self.time($0.retraining) }
    if let newest = times.max(), cause.streamMilliseconds < newest.saturatingSum(guards.cooldownMilliseconds) {
      return true
    }
    guard let runs = guards.runsPerWeek else { return false }
    return times.count { $0 > cause.streamMilliseconds - Self.week } >= runs
  }
}

extension Int64 {
  fileprivate func saturatingSum(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
