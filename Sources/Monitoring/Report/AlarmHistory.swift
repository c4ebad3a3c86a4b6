package import Core
internal import Drift

// Alarms from their first window to their last, out of the rows of the table.
extension DriftHistory {
  /// What one window showed of an alarm.
  package struct Evidence: Sendable, Equatable {
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var test: String
    package var value: Double
    package var threshold: Double
    package var cause: String
    /// The evidence as JSON.
    package var detail: String

    package var excess: Double { threshold > 0 ? value / threshold : value }
  }

  /// An alarm with all windows in which it was outside its limits.
  package struct Life: Sendable, Equatable {
    package var id: String
    package var monitor: String
    package var feature: String
    package var openedMilliseconds: Int64
    package var severity: String
    package var newest: Evidence
    package var worst: Evidence
    package var windowCount = 0
    package var mutedBy: String?
    /// The end of the window that resolved it, and why; nil while it is open.
    package var resolvedMilliseconds: Int64?
    package var reason: String?

    package var isOpen: Bool { resolvedMilliseconds == nil }
  }

  /// A digest as it was told.
  package struct Digest: Sendable, Equatable {
    package var monitor: String
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var detail: String
  }

  /// Those that are open first, the worst of them first; then by their ends, the newest first.
  static func sorted(_ lives: [Life]) -> [Life] {
    lives.sorted { left, right in
      switch (left.resolvedMilliseconds, right.resolvedMilliseconds) {
      case (nil, nil): (right.newest.excess, left.id) < (left.newest.excess, right.id)
      case (nil, _?): true
      case (_?, nil): false
      case (let first?, let second?): (second, left.id) < (first, right.id)
      }
    }
  }
}

/// Puts lives together from rows in whatever order they come.
struct LifeCollector {
  private var lives: [String: DriftHistory.Life] = [:]
  private var resolved: [String: (end: Int64, reason: String)] = [:]

  var all: [DriftHistory.Life] {
    DriftHistory.sorted(
      lives.values.map { life in
        var life = life
        if let end = resolved[life.id] {
          life.resolvedMilliseconds = end.end
          life.reason = end.reason
        }
        return life
      })
  }

  /// - Parameters:
  ///   - detail: of the feature in a window, or of the event that told of it.
  ///   - isWindow: it is one more window outside the limits.
  mutating func see(_ detail: String, monitor: String, start: Int64, end: Int64, isWindow: Bool) {
    guard let document = Self.document(detail), let id = document["alarm_id"]?.string,
      let feature = document["feature"]?.string, let opened = document["since"]?.string.flatMap(RFC3339.milliseconds)
    else { return }
    let evidence = DriftHistory.Evidence(
      startMilliseconds: start, endMilliseconds: end, test: document["test"]?.string ?? "",
      value: document["value"]?.double ?? .nan, threshold: document["threshold"]?.double ?? .nan,
      cause: document["cause"]?["class"]?.string ?? "", detail: detail)
    var life =
      lives[id]
      ?? DriftHistory.Life(
        id: id, monitor: monitor, feature: feature, openedMilliseconds: opened, severity: "", newest: evidence,
        worst: evidence)
    if isWindow { life.windowCount += 1 }
    if evidence.endMilliseconds >= life.newest.endMilliseconds {
      life.newest = evidence
      life.severity = document["severity"]?.string ?? ""
      life.mutedBy = document["muted_by"]?.string
    }
    if evidence.excess > life.worst.excess { life.worst = evidence }
    lives[id] = life
  }

  mutating func end(_ detail: String, at end: Int64) {
    guard let document = Self.document(detail), let id = document["alarm_id"]?.string else { return }
    resolved[id] = (end, document["reason"]?.string ?? "")
  }

  private static func document(_ detail: String) -> JSONDocument? { try? JSONDocument(Array(detail.utf8), depthMax: 8) }
}

extension DriftHistory.Life {
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("alarm_id", id)
      writer.member("monitor", monitor)
      writer.member("feature", feature)
      writer.member("state", isOpen ? "open" : "resolved")
      writer.member("since", RFC3339.text(milliseconds: openedMilliseconds))
      if let resolvedMilliseconds { writer.member("until", RFC3339.text(milliseconds: resolvedMilliseconds)) }
      if let reason { writer.member("reason", reason) }
      writer.member("severity", severity)
      writer.member("windows_outside", windowCount)
      writer.key("muted_by")
      if let mutedBy { writer.string(mutedBy) } else { writer.null() }
      for (key, evidence) in [("newest", newest), ("worst", worst)] {
        writer.key(key)
        writer.object { writer in
          writer.member("start", RFC3339.text(milliseconds: evidence.startMilliseconds))
          writer.member("end", RFC3339.text(milliseconds: evidence.endMilliseconds))
          writer.key("evidence")
          writer.raw(evidence.detail.utf8)
        }
      }
    }
  }
}
