package import Drift

/// What a monitor has to say: one event of the topic `headrace.drift`, one or more rows of the table.
package struct MonitorResult: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    /// Every feature of a window beside the reference.
    case window([FeatureResult])
    /// The labels of a window beside those of the reference: whether the truth itself moves.
    case labels(FeatureResult)
    /// One that was opened, or that is worth telling anew.
    case alarm(AlarmResult)
    case resolved(ResolvedAlarm)
    /// The alarms of a day.
    case digest(AlarmDigest)
    case change(ChangeResult)
    /// Predictions beside labels.
    case performance(PerformanceResult)
    /// What performance is expected to be, before labels come.
    case estimate(PerformanceResult)
  }

  package var monitor: String
  package var model: String
  /// Of the window, or of the pane.
  package var window: WindowReference
  package var content: Content

  /// `window`, `labels`, `alarm`, `resolved`, `digest`, `change`, `performance`, `estimate`.
  package var kind: String {
    switch content {
    case .window: "window"
    case .labels: "labels"
    case .alarm: "alarm"
    case .resolved: "resolved"
    case .digest: "digest"
    case .change: "change"
    case .performance: "performance"
    case .estimate: "estimate"
    }
  }

  /// The same for the same finding, however often it is made.
  package var id: String {
    let detail =
      switch content {
      case .window, .labels: ""
      case .alarm(let alarm):
        Self.subject(alarm.drift.feature, isOfLabels: alarm.isOfLabels) + alarm.change.suffix
      case .resolved(let alarm): Self.subject(alarm.life.feature, isOfLabels: alarm.isOfLabels)
      case .digest(let digest): digest.isOfLabels ? "/labels" : ""
      case .change(let change): "/\(change.feature)"
      case .performance(let result), .estimate(let result): result.segment.map { "/\($0)" } ?? ""
      }
    return "\(monitor)/\(kind)/\(window.startMilliseconds)-\(window.endMilliseconds)\(detail)"
  }

  private static func subject(_ feature: String, isOfLabels: Bool) -> String {
    "/\(isOfLabels ? "labels/" : "")\(feature)"
  }

  /// The id of the event that opens an alarm, which stays the alarm's own.
  static func alarmID(
    _ monitor: String, _ window: WindowReference, feature: String, isOfLabels: Bool
  ) -> String {
    "\(monitor)/alarm/\(window.startMilliseconds)-\(window.endMilliseconds)"
      + subject(feature, isOfLabels: isOfLabels)
  }

  /// Whether somebody should look: an alarm that is not muted, or a broken bound.
  package var isRinging: Bool {
    switch content {
    case .alarm(let alarm): alarm.mutedBy == nil
    case .performance(let result): result.segment == nil && !result.brokenBounds.isEmpty
    case .window, .labels, .resolved, .digest, .change, .estimate: false
    }
  }
}

extension MonitorResult {
  /// Those of a window, or the one that the labels are.
  package var features: [FeatureResult] {
    switch content {
    case .window(let features): features
    case .labels(let labels): [labels]
    case .alarm, .resolved, .digest, .change, .performance, .estimate: []
    }
  }
}

/// One feature of a window.
package struct FeatureResult: Sendable, Equatable {
  package var feature: String
  package var tests: [TestResult]
  /// Of so different a window without drift; the second one corrected for the number of features. NaN: too few rows.
  package var pValue: Double
  package var adjustedPValue: Double
  /// Outside its limits: the alarm as this window shows it, whether or not somebody is told of it anew.
  package var alarm: AlarmResult?

  package var isAlarm: Bool { alarm != nil }
}

package struct AlarmResult: Sendable, Equatable {
  package var drift: DriftAlarm
  /// Why it does not ring; nil when it does.
  package var mutedBy: String?
  /// It is about the truth, not about a feature.
  package var isOfLabels = false
  /// The training set that is the reference.
  package var dataset: String?
  /// Of the alarm's life: its id and the window that opened it, how many windows in a row are outside with this one.
  package private(set) var alarmID = ""
  package private(set) var openedMilliseconds: Int64 = 0
  package private(set) var windowCount = 1
  package private(set) var severity = AlarmSeverity.minor
  package var change = AlarmChange.opened

  init(drift: DriftAlarm, mutedBy: String?, isOfLabels: Bool = false) {
    self.drift = drift
    self.mutedBy = mutedBy
    self.isOfLabels = isOfLabels
  }

  mutating func note(_ life: AlarmLife) {
    alarmID = life.id
    openedMilliseconds = life.openedMilliseconds
    windowCount = life.inARowCount
    severity = life.severity
  }
}

/// A change of a feature's mean that detectors see before the window is over.
package struct ChangeResult: Sendable, Equatable {
  package var feature: String
  package var detectors: [String]
  /// Of the pane, beside the reference's, in standard deviations of the reference.
  package var deviation: Double
}

package struct PerformanceResult: Sendable, Equatable {
  /// Nil: all rows.
  package var segment: String?
  package var predictionCount: Int
  package var labelledCount: Int
  /// One key in so many is followed.
  package var sampledOneIn = 1
  package var figures: [Figure] = []
  /// Metrics whose bound is broken by more than chance.
  package var brokenBounds: [String] = []

  package struct Figure: Sendable, Equatable {
    package var metric: String
    package var interval: Interval
  }

  package subscript(metric: String) -> Interval? { figures.first { $0.metric == metric }?.interval }
}
