extension DriftHistory {
  /// The same with the newest windows of each series, and the newest alarms and changes.
  package func newest(windows: Int, findings: Int) -> DriftHistory {
    var history = self
    for path in [\DriftHistory.drift, \.performance, \.estimates] {
      for index in history[keyPath: path].indices {
        let points = history[keyPath: path][index].points
        history[keyPath: path][index].points = Array(points.suffix(windows))
      }
    }
    history.alarms = Array(alarms.suffix(findings))
    history.changes = Array(changes.suffix(findings))
    return history
  }
}
