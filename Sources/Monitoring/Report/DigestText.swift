internal import Core

/// A digest as lines that somebody reads in the morning.
package struct DigestText {
  private let document: JSONDocument

  /// - Returns: nil for what is no digest.
  package init?(_ detail: String) {
    guard let document = try? JSONDocument(Array(detail.utf8), depthMax: 12), document["counts"] != nil else {
      return nil
    }
    self.document = document
  }

  /// `12 open, 3 new, 1 escalated, 2 resolved in 24 windows`.
  package var counts: String {
    let counts = ["open", "opened", "escalated", "resolved"].map { document["counts"]?[$0]?.integer ?? 0 }
    return "\(counts[0]) open, \(counts[1]) new, \(counts[2]) escalated, \(counts[3]) resolved in "
      + "\(document["windows"]?.integer ?? 0) windows"
  }

  package var commonCause: String? { document["common_cause"]?["text"]?.string }

  package struct Line: Sendable {
    package var feature: String
    package var since: String
    package var severity: String
    package var windows: Int64
    package var newest: String
    package var worst: String
    package var cause: String
    package var part: String
    package var isNew: Bool
    /// Why it is over; nil while it is open.
    package var reason: String?
    package var mutedBy: String?
  }

  package var open: [Line] { lines("open") }
  package var resolved: [Line] { lines("resolved") }

  private func lines(_ key: String) -> [Line] {
    let opened = Set(elements(document["opened"]).compactMap(\.string))
    return elements(document[key]).map { life in
      let newest = life["newest"]
      let parts = elements(newest?["producers"]) + elements(newest?["segments"])
      return Line(
        feature: life["feature"]?.string ?? "", since: time(life["since"]), severity: life["severity"]?.string ?? "",
        windows: life["windows_outside"]?.integer ?? 0, newest: score(newest), worst: score(life["worst"]),
        cause: newest?["cause"]?.string ?? "", part: parts.first?["name"]?.string ?? "",
        isNew: life["alarm_id"]?.string.map(opened.contains) ?? false, reason: life["reason"]?.string,
        mutedBy: life["muted_by"]?.string)
    }
  }

  private func score(_ sighting: JSONDocument?) -> String {
    guard let sighting, let value = sighting["value"]?.double, let threshold = sighting["threshold"]?.double else {
      return ""
    }
    return "\(sighting["test"]?.string ?? "") \(ReportPlot.short(value)) ≥ \(ReportPlot.short(threshold))"
  }

  private func time(_ document: JSONDocument?) -> String {
    document?.string.flatMap(RFC3339.milliseconds).map(DriftReportPage.time) ?? ""
  }

  private func elements(_ document: JSONDocument?) -> [JSONDocument] {
    if case .array(let elements) = document?.content { elements } else { [] }
  }
}
