internal import Core
internal import Features

/// What `headrace plan` shows: what will be read, made and kept, and what changes.
package struct PlanReport: Sendable {
  package let plan: Plan
  package let diff: PlanDiff?
  /// nil when nobody weighed it.
  package let state: StateReport?
  /// nil when nobody asked.
  package let history: HistoryReport?
  /// Of the topics that exist; empty when no broker was asked.
  package let partitionCounts: [String: Int32]

  package init(
    plan: Plan, diff: PlanDiff? = nil, state: StateReport? = nil, history: HistoryReport? = nil,
    partitionCounts: [String: Int32] = [:]
  ) {
    self.plan = plan
    self.diff = diff
    self.state = state
    self.history = history
    self.partitionCounts = partitionCounts
  }

  /// What somebody should know besides the warnings of the file itself.
  package var notes: [String] {
    var notes: [String] = []
    let needs = plan.sources.indices.compactMap { source in
      reachMilliseconds(ofSource: source).map { "`\(plan.sources[source].topic)` \(DurationLiteral.text($0))" }
    }
    if !needs.isEmpty {
      notes.append(
        """
        without snapshots the disk holds the only copy of the state: it can be rebuilt while the topics keep \
        (retention.ms) at least: \(needs.joined(separator: ", "))
        """)
    }
    let unbounded = plan.views.filter { view in
      view.layout.definition.features.contains { $0.window.lengthMilliseconds == nil }
    }
    for view in unbounded {
      notes.append(
        """
        view `\(view.name)` has features over all events: after the log's beginning was deleted they cannot be \
        rebuilt, \
        and a key's row stays for ever\(view.ttlMilliseconds == nil ? "" : " or until its ttl")
        """)
    }
    return notes
  }

  /// Longest window with hop and lateness; nil without views with windows.
  private func reachMilliseconds(ofSource source: Int) -> Int64? {
    plan.views.filter { $0.source == source }.flatMap { view in
      view.layout.definition.features.compactMap { feature -> Int64? in
        guard let length = feature.window.lengthMilliseconds else { return nil }
        let hop: Int64 = if case .sliding(_, let hop) = feature.window { hop } else { 0 }
        return length &+ hop &+ view.latenessMilliseconds
      }
    }.max()
  }

  /// How many tasks share the work: the partitions of the topics.
  var taskCount: Int32? { plan.sources.compactMap { partitionCounts[$0.topic] }.max() }

  /// `1.4 GB`.
  static func bytes(_ count: Int) -> String {
    let units: [(Double, String)] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    guard let (size, unit) = units.first(where: { Double(count) >= $0.0 }) else { return "\(count) B" }
    let tenths = Int((Double(count) / size * 10).rounded())
    return tenths >= 1_000 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
  }

  /// `1M`, `825k`, `3.5M`, `812`.
  static func count(_ number: Int) -> String {
    for (scale, suffix) in [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")] where number >= scale {
      let tenths = (number / (scale / 10) + (number % (scale / 10) >= scale / 20 ? 1 : 0))
      return tenths % 10 == 0 || tenths >= 1_000 ? "\(tenths / 10)\(suffix)" : "\(tenths / 10).\(tenths % 10)\(suffix)"
    }
    return "\(number)"
  }
}
