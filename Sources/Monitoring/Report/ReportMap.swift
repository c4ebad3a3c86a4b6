internal import Core

/// All features over all windows at once: the darker a cell, the closer its worst test is to its limit or beyond it.
struct ReportMap {
  private static let width = 1_060.0
  private static let rowHeight = 15.0
  private static let margin = (left: 210.0, top: 4.0, bottom: 18.0)
  /// Below it a cell is left white: it says nothing.
  private static let shownFrom = 0.25

  /// A feature of a monitor.
  private struct Row {
    var name: String
    /// By the window's start.
    var cells: [Int64: (ratio: Double, isAlarm: Bool)] = [:]
    var alarmCount: Int { cells.values.count(where: \.isAlarm) }
  }

  private let rows: [Row]
  private let starts: [Int64]

  /// - Returns: nil when there is nothing to see: fewer than two windows.
  init?(_ series: [DriftHistory.Series]) {
    var rows: [String: Row] = [:]
    let hasMonitors = Set(series.map(\.monitor)).count > 1
    for one in series {
      let name = hasMonitors ? "\(one.monitor): \(one.part)" : one.part
      for point in one.points {
        guard let threshold = point.threshold, threshold > 0, point.value.isFinite else { continue }
        let known = rows[name, default: Row(name: name)].cells[point.startMilliseconds]
        rows[name, default: Row(name: name)].cells[point.startMilliseconds] = (
          max(known?.ratio ?? 0, point.value / threshold), point.isAlarm || known?.isAlarm ?? false
        )
      }
    }
    starts = Set(rows.values.flatMap(\.cells.keys)).sorted()
    guard starts.count > 1 else { return nil }
    // Those that ring most come first.
    self.rows = rows.values.sorted { ($1.alarmCount, $0.name) < ($0.alarmCount, $1.name) }
  }

  var svg: String {
    let height = Self.margin.top + Double(rows.count) * Self.rowHeight + Self.margin.bottom
    let cell = (Self.width - Self.margin.left) / Double(starts.count)
    var svg = "<svg class=\"map\" viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\">"
    for (index, row) in rows.enumerated() {
      let top = Self.margin.top + Double(index) * Self.rowHeight
      svg +=
        "<text x=\"\(Self.margin.left - 8)\" y=\"\(top + 11)\" text-anchor=\"end\">"
        + "\(EscapedText.html(String(row.name.prefix(34))))</text>"
      for (column, start) in starts.enumerated() {
        guard let found = row.cells[start], found.isAlarm || found.ratio >= Self.shownFrom else { continue }
        svg += Self.cell(found, x: Self.margin.left + Double(column) * cell, y: top, width: cell, row.name, start)
      }
    }
    let bottom = height - 5
    for (start, anchor, x) in [
      (starts.first, "start", Self.margin.left), (starts.last, "end", Self.width),
    ] {
      guard let start else { continue }
      svg += "<text x=\"\(x)\" y=\"\(bottom)\" text-anchor=\"\(anchor)\">\(Self.day(start))</text>"
    }
    return svg + "</svg>"
  }

  private static func cell(
    _ found: (ratio: Double, isAlarm: Bool), x: Double, y: Double, width: Double, _ name: String, _ start: Int64
  ) -> String {
    let opacity = found.isAlarm ? 1 : min(found.ratio, 1) * 0.45
    return "<rect class=\"\(found.isAlarm ? "hot" : "warm")\" x=\"\(hundredths(x))\" y=\"\(y)\" "
      + "width=\"\(hundredths(max(width - 0.4, 0.6)))\" height=\"\(rowHeight - 2)\" "
      + "fill-opacity=\"\(hundredths(opacity))\"><title>\(EscapedText.html(name)), \(day(start)): "
      + "\(ReportPlot.short(found.ratio)) of the limit</title></rect>"
  }

  private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  private static func day(_ time: Int64) -> String { DriftReportPage.time(time) }
}
