internal import Core
internal import Drift

/// A defect of the data that was found in a feature.
struct DataDefect: Sendable, Equatable {
  var feature: String
  /// As `DriftCause.code`.
  var code: String
  /// Of the last window that had it.
  var endMilliseconds: Int64
}

// What alarms come from.
extension MonitorState {
  /// Other sources that have stopped: everything that is made from one is missing or less than it was, and that is
  /// more than a field which is missing would explain.
  func staleSources(_ closed: ClosedWindow, _ reference: ClosedWindow) -> Set<String> {
    var columns: [String: [Int]] = [:]
    for (column, origin) in definition.origins.enumerated() {
      if let source = origin.otherSource { columns[source, default: []].append(column) }
    }
    var stale: Set<String> = []
    for (source, own) in columns {
      var (missingFields, hasLessCounts, isStale): (Set<String>, Bool, Bool) = ([], false, true)
      for column in own {
        let (before, now) = (reference.profiles[column], closed.profiles[column])
        if DriftCause.isSurge(before.missingShare, now.missingShare) {
          missingFields.formUnion(definition.origins[column].fields)
        } else if let mean = now.moments.mean, let expected = before.moments.mean,
          mean.magnitude <= 0.95 * expected.magnitude
        {
          if definition.origins[column].fields.isEmpty { hasLessCounts = true }
        } else {
          isStale = false
        }
      }
      if isStale, missingFields.count > 1 || hasLessCounts && !missingFields.isEmpty { stale.insert(source) }
    }
    return stale
  }

  func cause(
    _ feature: (name: String, reference: FeatureProfile, current: FeatureProfile), _ closed: ClosedWindow,
    _ reference: ClosedWindow, stale: Set<String>
  ) -> DriftCause {
    var signs = CauseSigns(reference: feature.reference, current: feature.current)
    signs.refusedShareBefore = reference.refusedShare
    signs.refusedShareNow = closed.refusedShare
    signs.newestEventAgeMilliseconds = closed.ageMilliseconds
    // A source that is quiet at night ends its windows early every day.
    signs.expectedAgeMilliseconds = max(definition.paneMilliseconds, reference.ageMilliseconds)
    signs.staleSource = definition.origin(of: feature.name)?.otherSource.flatMap { stale.contains($0) ? $0 : nil }
    return DriftCause.decide(signs)
  }

  /// Alarms that look like shifts, and are made from a field that is a defect in another feature, are its consequences:
  /// nobody is to retrain on them. An aggregate holds the field's values as long as its window reaches.
  mutating func findConsequences(_ alarms: inout [AlarmResult], _ place: WindowReference) {
    defects = defects.filter { defect in definition.origins.contains { reaches(defect, $0, place) } }
    for alarm in alarms where alarm.drift.cause.isDataBug {
      let defect = DataDefect(
        feature: alarm.drift.feature, code: alarm.drift.cause.code, endMilliseconds: place.endMilliseconds)
      defects.removeAll { $0.feature == defect.feature }
      defects.append(defect)
    }
    for index in alarms.indices where !alarms[index].drift.cause.isDataBug {
      guard let origin = definition.origin(of: alarms[index].drift.feature) else { continue }
      let root = defects.first { defect in
        guard defect.feature != alarms[index].drift.feature, let fields = definition.origin(of: defect.feature)?.fields
        else {
          return false
        }
        return !fields.isDisjoint(with: origin.fields) && reaches(defect, origin, place)
      }
      if let root { alarms[index].drift.cause = .consequence(of: root.feature, code: root.code) }
    }
  }

  /// Whether values from the time of a defect still count in a window.
  private func reaches(_ defect: DataDefect, _ origin: ColumnOrigin, _ place: WindowReference) -> Bool {
    guard let reach = origin.reachMilliseconds else { return true }
    let (end, overflow) = defect.endMilliseconds.addingReportingOverflow(reach)
    return overflow || end > place.startMilliseconds || defect.endMilliseconds == place.endMilliseconds
  }
}
