internal import Columns
package import Core
package import OfflineStore

/// What the monitors of a model have found over time, out of the table `drift/MODEL`.
package struct DriftHistory: Sendable, Equatable {
  /// One figure, window by window.
  package struct Series: Sendable, Equatable {
    package var monitor: String
    /// A feature, or the segment of a figure of quality; empty for all rows.
    package var part: String
    /// A test, or a metric.
    package var figure: String
    package var points: [Point] = []
  }

  package struct Point: Sendable, Equatable {
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var rowCount: Int64
    package var value: Double
    package var lower: Double?
    package var upper: Double?
    package var threshold: Double?
    package var isAlarm: Bool
  }

  /// An alarm, or a change that detectors saw.
  package struct Finding: Sendable, Equatable {
    package var id: String
    package var monitor: String
    package var startMilliseconds: Int64
    package var endMilliseconds: Int64
    package var feature: String
    package var test: String
    package var value: Double
    package var threshold: Double?
    /// Nil for changes.
    package var cause: String?
    package var isRinging: Bool
    /// The result as JSON.
    package var detail: String
  }

  package var model: String
  /// By monitor, part and figure.
  package var drift: [Series] = []
  package var performance: [Series] = []
  package var estimates: [Series] = []
  /// In the order of time.
  package var alarms: [Finding] = []
  package var changes: [Finding] = []
  /// Alarms from their first window to their last.
  package var lives: [Life] = []
  /// By day, then by monitor.
  package var digests: [Digest] = []

  package init(model: String) { self.model = model }

  /// - Parameters:
  ///   - range: of the windows' starts, epoch milliseconds.
  ///   - monitor: nil for all.
  package init(
    model: String, _ table: any ColumnSource, range: Range<Int64>, monitor: String? = nil
  ) throws(HeadraceError) {
    self.init(model: model)
    let names = ResultTable.columns.map(\.name)
    var series: [String: [SeriesKey: [Point]]] = [:]
    var collector = LifeCollector()
    for piece in 0..<table.pieceCount {
      try table.forEachBatch(of: piece, columns: names) { (batch) throws(HeadraceError) in
        for row in 0..<batch.rowCount {
          let cells = RowCells(batch, names, row)
          guard range.contains(cells.start), monitor == nil || cells.text("monitor") == monitor else { continue }
          read(cells, into: &series, &collector)
        }
      }
    }
    drift = Self.sorted(series["window"])
    performance = Self.sorted(series["performance"])
    estimates = Self.sorted(series["estimate"])
    lives = collector.all
    digests.sort { ($0.startMilliseconds, $0.monitor) < ($1.startMilliseconds, $1.monitor) }
    alarms.sort { ($0.startMilliseconds, $0.id) < ($1.startMilliseconds, $1.id) }
    changes.sort { ($0.startMilliseconds, $0.id) < ($1.startMilliseconds, $1.id) }
  }

  private struct SeriesKey: Hashable {
    var monitor: String
    var part: String
    var figure: String
  }

  private mutating func read(
    _ cells: RowCells, into series: inout [String: [SeriesKey: [Point]]], _ lives: inout LifeCollector
  ) {
    // The truth is one more series beside the features.
    let kind = cells.text("kind").map { $0 == "labels" ? "window" : $0 } ?? ""
    let monitor = cells.text("monitor") ?? ""
    if let detail = cells.text("detail") {
      switch kind {
      case "window", "alarm":
        lives.see(detail, monitor: monitor, start: cells.start, end: cells.end, isWindow: kind == "window")
      case "resolved": return lives.end(detail, at: cells.end)
      case "digest":
        digests.append(
          Digest(monitor: monitor, startMilliseconds: cells.start, endMilliseconds: cells.end, detail: detail))
        return
      default: break
      }
    }
    guard kind == "alarm" || kind == "change" else {
      let key = SeriesKey(
        monitor: monitor, part: cells.text(kind == "window" ? "feature" : "segment") ?? "",
        figure: cells.text("test") ?? "")
      guard let value = cells.number("value") else { return }
      series[kind, default: [:]][key, default: []].append(
        Point(
          startMilliseconds: cells.start, endMilliseconds: cells.end, rowCount: cells.integer("rows"), value: value,
          lower: cells.number("lower"), upper: cells.number("upper"), threshold: cells.number("threshold"),
          isAlarm: cells.flag("is_alarm")))
      return
    }
    let finding = Finding(
      id: cells.text("id") ?? "", monitor: monitor, startMilliseconds: cells.start,
      endMilliseconds: cells.end, feature: cells.text("feature") ?? "", test: cells.text("test") ?? "",
      value: cells.number("value") ?? .nan, threshold: cells.number("threshold"), cause: cells.text("cause"),
      isRinging: cells.flag("is_alarm"), detail: cells.text("detail") ?? "{}")
    if kind == "alarm" { alarms.append(finding) } else { changes.append(finding) }
  }

  private static func sorted(_ found: [SeriesKey: [Point]]?) -> [Series] {
    (found ?? [:]).sorted {
      ($0.key.monitor, $0.key.part, $0.key.figure) < ($1.key.monitor, $1.key.part, $1.key.figure)
    }.map { key, points in
      Series(
        monitor: key.monitor, part: key.part, figure: key.figure,
        points: points.sorted { $0.startMilliseconds < $1.startMilliseconds })
    }
  }
}

/// One row by the names of its columns.
private struct RowCells {
  private var values: [String: Value] = [:]

  init(_ batch: borrowing ColumnBatch, _ names: [String], _ row: Int) {
    for (column, name) in names.enumerated() { values[name] = batch.columns[column].value(row) }
  }

  func text(_ name: String) -> String? { if case .string(let text) = values[name] { text } else { nil } }
  func number(_ name: String) -> Double? { if case .double(let number) = values[name] { number } else { nil } }
  func integer(_ name: String) -> Int64 { if case .integer(let number) = values[name] { number } else { 0 } }
  func flag(_ name: String) -> Bool { values[name] == .boolean(true) }
  var start: Int64 { milliseconds("window_start") }
  var end: Int64 { milliseconds("window_end") }

  private func milliseconds(_ name: String) -> Int64 {
    if case .timestamp(let microseconds) = values[name] { floorDivide(microseconds, 1_000) } else { 0 }
  }
}

extension DriftHistory {
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("model", model)
      for (key, series) in [("features", drift), ("performance", performance), ("estimates", estimates)] {
        writer.key(key)
        writer.array { writer in for one in series { Self.write(one, key == "features", to: &writer) } }
      }
      for (key, findings) in [("alarms", alarms), ("changes", changes)] {
        writer.key(key)
        writer.array { writer in for finding in findings { writer.raw(finding.detail.utf8) } }
      }
      writer.key("lives")
      writer.array { writer in for life in lives { life.write(to: &writer) } }
      writer.key("digests")
      writer.array { writer in for digest in digests { writer.raw(digest.detail.utf8) } }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ series: Series, _ isFeature: Bool, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("monitor", series.monitor)
      writer.member(isFeature ? "feature" : "segment", series.part)
      writer.member(isFeature ? "test" : "metric", series.figure)
      writer.key("windows")
      writer.array { writer in
        for point in series.points {
          writer.object { writer in
            writer.member("start", RFC3339.text(milliseconds: point.startMilliseconds))
            writer.member("rows", point.rowCount)
            writer.member("value", point.value)
            if let lower = point.lower, let upper = point.upper, lower != upper {
              writer.member("lower", lower)
              writer.member("upper", upper)
            }
            if let threshold = point.threshold { writer.member("threshold", threshold) }
            writer.member("alarm", point.isAlarm)
          }
        }
      }
    }
  }
}
