internal import Core

/// How far back events can be read, by source: what a new view can be built from. Whoever can ask tables and brokers
/// makes it: a plan is only a plan.
package struct HistoryReport: Sendable {
  package struct Source: Sendable, Equatable {
    package var name: String
    /// Times at which archived events came, epoch milliseconds; nil: there is no archive, or nobody asked.
    package var archive: ClosedRange<Int64>?
    /// Time of the oldest record of the log; nil: it is empty, or nobody asked.
    package var logBeginning: Int64?
    /// No record was ever deleted from the log.
    package var isLogWhole = false
    /// Offsets that are in neither.
    package var gaps: [String] = []

    package init(name: String) { self.name = name }

    /// By how much the archive reaches further back than the log.
    var gainMilliseconds: Int64? {
      guard let archive, let logBeginning, !isLogWhole, archive.lowerBound < logBeginning else { return nil }
      return logBeginning - archive.lowerBound
    }

    /// `archive 2013-01-01T10:00:00Z to 2013-02-01T00:00:00Z, log from 2013-01-25T00:00:00Z`.
    package var text: String {
      var parts: [String] = []
      if let archive {
        parts.append(
          "archive \(RFC3339.text(milliseconds: archive.lowerBound)) to "
            + RFC3339.text(milliseconds: archive.upperBound))
      }
      if let logBeginning {
        parts.append(
          "log from \(RFC3339.text(milliseconds: logBeginning))\(isLogWhole ? ", nothing deleted" : "")")
      } else {
        parts.append("log empty")
      }
      return parts.joined(separator: ", ")
    }
  }

  /// In the plan's order.
  package var sources: [Source]

  package init(sources: [Source]) { self.sources = sources }

  /// From when on a view of a source can be built, and from what.
  package func text(ofViewOf source: Int) -> String? {
    let history = sources[source]
    if let gain = history.gainMilliseconds, let archive = history.archive {
      return "can be built from \(RFC3339.text(milliseconds: archive.lowerBound)) (archive), "
        + "\(Self.span(gain)) more than the log"
    }
    guard let logBeginning = history.logBeginning else { return nil }
    return "can be built from \(RFC3339.text(milliseconds: logBeginning)) (log)"
  }

  /// `3 days`, `5 hours`: the largest unit, rounded down.
  private static func span(_ milliseconds: Int64) -> String {
    let units: [(String, Int64)] = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)]
    for (name, length) in units where milliseconds >= length {
      let count = milliseconds / length
      return "\(count) \(name)\(count == 1 ? "" : "s")"
    }
    return "less than a second"
  }
}

// In the report of a plan.
extension PlanReport {
  var historyLines: [String] {
    guard let history, !history.sources.isEmpty else { return [] }
    var lines = ["history"] + Self.table(history.sources.map { [$0.name, $0.text] })
    for source in history.sources {
      for gap in source.gaps { lines.append("  \(source.name): \(gap)") }
    }
    for view in plan.views {
      if let text = history.text(ofViewOf: view.source) { lines.append("  view `\(view.name)` \(text)") }
    }
    return lines + [""]
  }

  func write(_ history: HistoryReport, _ writer: inout JSONWriter) {
    writer.array("history") { writer in
      for source in history.sources {
        writer.object {
          $0.member("source", source.name)
          if let archive = source.archive {
            $0.member("archive_from", RFC3339.text(milliseconds: archive.lowerBound))
            $0.member("archive_to", RFC3339.text(milliseconds: archive.upperBound))
          }
          if let beginning = source.logBeginning { $0.member("log_from", RFC3339.text(milliseconds: beginning)) }
          $0.member("log_is_whole", source.isLogWhole)
          $0.member("gaps", source.gaps)
        }
      }
    }
  }
}
