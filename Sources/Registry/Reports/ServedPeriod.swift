/// When a version answered, or scored beside the one that did.
package struct ServedPeriod: Sendable, Hashable {
  package var alias: String
  package var version: Int
  /// nil: the alias stood for it.
  package var rollout: Rollout?
  package var began: RegistryEntry
  /// nil: it still does.
  package var ended: RegistryEntry?
  package var verdict: RolloutVerdict?

  /// `in force`, `canary`, `split`, `shadow`.
  package var role: String { rollout?.kind.rawValue ?? "in force" }
}

extension RegisteredModel {
  /// Who served when, oldest first. Tasks go over at their next commit: `headrace models who-served` has the offset.
  package func servedPeriods(version: Int? = nil) -> [ServedPeriod] {
    var periods: [ServedPeriod] = []
    for alias in aliases.values {
      for (index, change) in alias.history.enumerated() {
        guard let number = change.version else { continue }
        let next = alias.history.indices.contains(index + 1) ? alias.history[index + 1].entry : nil
        periods.append(ServedPeriod(alias: alias.name, version: number, began: change.entry, ended: next))
      }
      for record in alias.rolloutHistory {
        periods.append(
          ServedPeriod(
            alias: alias.name, version: record.rollout.version, rollout: record.rollout, began: record.began,
            ended: record.ended, verdict: record.verdict))
      }
    }
    return periods.filter { version == nil || $0.version == version }
      .sorted { ($0.began.offset, $0.alias) < ($1.began.offset, $1.alias) }
  }
}
