internal import Core

/// What people tell monitors.
package enum MonitorCommand: Sendable, Equatable {
  /// Alarms of a feature, or of all, do not ring for a while; they are noted all the same.
  case silence(Silence)
  /// What is now is right: the reference begins anew with the window of that time.
  case acknowledge(atMilliseconds: Int64, reason: String)
  case expect(KnownChange)
}

/// A time in which alarms do not ring.
package struct Silence: Sendable, Equatable {
  /// Nil: of every feature.
  package var feature: String?
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
  package var reason: String

  package init(feature: String?, startMilliseconds: Int64, endMilliseconds: Int64, reason: String) {
    self.feature = feature
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    self.reason = reason
  }
}
