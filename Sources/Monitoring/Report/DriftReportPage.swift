internal import Core

/// The history of a model as one page that needs nothing from anywhere.
package struct DriftReportPage {
  private let history: DriftHistory

  package init(_ history: DriftHistory) { self.history = history }

  package var html: String {
    let body = "<h1>\(EscapedText.html(history.model))</h1>\n\(sections)"
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Drift of \(EscapedText.html(history.model))</title><style>\(Self.style)</style></head>
      <body>
      \(body)</body></html>

      """
  }

  /// What a page says below its title, for pages that say more.
  package var sections: String {
    var map = ""
    if let found = ReportMap(history.drift) {
      map =
        "<h2>Where it drifts</h2>\n<p class=\"key\"><b class=\"hot\"></b> alarm <b class=\"warm\"></b> "
        + "towards its limit</p>\n\(found.svg)\n"
    }
    return summary + digests + alarms + map
      + plots("Quality", history.performance) { $0.part.isEmpty ? $0.figure : "\($0.figure), \($0.part)" }
      + plots("Quality expected before labels come", history.estimates) { $0.figure }
      + plots("Features", drifted + calm) { "\($0.part): \($0.figure)" }
  }

  package static let style = """
    :root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif}
    body{max-width:1100px;margin:2rem auto;padding:0 1rem}
    h1{margin:0}h2{margin:2rem 0 .5rem}table{border-collapse:collapse;width:100%}
    th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #8884;vertical-align:top}
    .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:1rem}
    figure{margin:0}figcaption{font-weight:600}svg{width:100%;height:auto;font-size:9px}svg text{fill:currentColor}
    .line{fill:none;stroke:#2867b2;stroke-width:1.5}.band{fill:#2867b233}.axis{stroke:#8888}
    .limit{stroke:#c33;stroke-dasharray:4 3}.dot{fill:#2867b2}.alarm{fill:#c33}.muted{opacity:.6}
    .hot{fill:#c33;background:#c33}.warm{fill:#c80;background:#c80}.map{font-size:10px}
    .key b{display:inline-block;width:.8em;height:.8em;margin:0 .2em 0 1em}
    .tag{display:inline-block;padding:0 .5em;border-radius:.6em;font-size:12px;background:#2867b222;white-space:nowrap}
    .bug,.major{background:#c803}.critical{background:#c336}td{font-variant-numeric:tabular-nums}
    """

  /// A day when it begins one, else to the minute.
  static func time(_ milliseconds: Int64) -> String {
    let text = RFC3339.text(milliseconds: milliseconds)
    return floorDivide(milliseconds, 86_400_000) * 86_400_000 == milliseconds
      ? String(text.prefix(10)) : "\(text.prefix(10)) \(text.dropFirst(11).prefix(5))"
  }

  /// Features whose last window drifts come first.
  private var drifted: [DriftHistory.Series] { history.drift.filter { $0.points.last?.isAlarm ?? false } }
  private var calm: [DriftHistory.Series] { history.drift.filter { !($0.points.last?.isAlarm ?? false) } }

  private var summary: String {
    let points = history.drift.flatMap(\.points)
    guard let first = points.map(\.startMilliseconds).min(), let last = points.map(\.endMilliseconds).max() else {
      return "<p>There is no window yet.</p>\n"
    }
    let features = Set(history.drift.map(\.part)).count
    let windows = Set(points.map(\.startMilliseconds)).count
    let open = history.lives.count(where: \.isOpen)
    return "<p>\(Self.time(first)) to \(Self.time(last)): \(windows) windows of \(features) features, "
      + "\(history.lives.count) alarms, \(open) of them open\(causes), \(history.changes.count) early signs.</p>\n"
  }

  /// ` (12 real_shift, 3 unit)`.
  private var causes: String {
    var counts: [String: Int] = [:]
    for life in history.lives { counts[life.newest.cause, default: 0] += 1 }
    guard !counts.isEmpty else { return "" }
    let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      "\($0.value) \(EscapedText.html($0.key))"
    }
    return " (\(parts.joined(separator: ", ")))"
  }

  private static let livesMaximum = 200

  private var alarms: String {
    guard !history.lives.isEmpty else { return "<h2>Alarms</h2>\n<p>None.</p>\n" }
    var rows = ""
    for life in history.lives.prefix(Self.livesMaximum) { rows += Self.row(life) }
    return "<h2>Alarms</h2>\n<table><tr><th>Since</th><th>Until</th><th>Feature</th><th>Windows</th><th>Severity</th>"
      + "<th>Newest</th><th>Worst</th><th>Cause</th><th>Segments</th><th>Offsets</th></tr>\n\(rows)</table>\n"
  }

  private static func row(_ life: DriftHistory.Life) -> String {
    let evidence = AlarmEvidence(life.newest.detail)
    let until = life.resolvedMilliseconds.map(time) ?? "<b>open</b>"
    var cells = [
      time(life.openedMilliseconds), until, EscapedText.html(life.feature), "\(life.windowCount)",
      "<span class=\"tag \(EscapedText.html(life.severity))\">\(EscapedText.html(life.severity))</span>",
      score(life.newest),
      score(life.worst),
    ]
    cells.append(
      "<span class=\"tag\(evidence.isDataBug ? " bug" : "")\">\(EscapedText.html(life.newest.cause))</span> "
        + EscapedText.html(evidence.cause))
    cells += [
      EscapedText.html(evidence.segments),
      EscapedText.html([evidence.offsets, evidence.muted].filter { !$0.isEmpty }.joined(separator: "; ")),
    ]
    let isFaint = !life.isOpen || life.mutedBy != nil
    return "<tr\(isFaint ? " class=\"muted\"" : "")>\(cells.map { "<td>\($0)</td>" }.joined())</tr>\n"
  }

  private static func score(_ evidence: DriftHistory.Evidence) -> String {
    "\(EscapedText.html(evidence.test)) \(ReportPlot.short(evidence.value))"
      + " &ge; \(ReportPlot.short(evidence.threshold))"
  }

  /// The newest digest of each monitor.
  private var digests: String {
    var newest: [String: DriftHistory.Digest] = [:]
    for digest in history.digests { newest[digest.monitor] = digest }
    var items = ""
    for (monitor, digest) in newest.sorted(by: { $0.key < $1.key }) {
      guard let text = DigestText(digest.detail) else { continue }
      items += "<li>\(EscapedText.html(monitor)), \(Self.time(digest.startMilliseconds)): \(text.counts)"
      if let common = text.commonCause { items += "; look first at this: \(EscapedText.html(common))" }
      items += "</li>\n"
    }
    return items.isEmpty ? "" : "<h2>The newest digest</h2>\n<ul>\n\(items)</ul>\n"
  }

  private func plots(
    _ title: String, _ series: [DriftHistory.Series], _ name: (DriftHistory.Series) -> String
  ) -> String {
    guard !series.isEmpty else { return "" }
    var text = "<h2>\(title)</h2>\n<div class=\"grid\">\n"
    for one in series {
      guard let plot = ReportPlot(one.points), let last = one.points.last else { continue }
      text +=
        "<figure><figcaption>\(EscapedText.html(name(one))) <small>\(ReportPlot.short(last.value))</small></figcaption>"
        + "\(plot.svg)</figure>\n"
    }
    return text + "</div>\n"
  }
}

/// The parts of an alarm's JSON that a table has room for.
private struct AlarmEvidence {
  private(set) var segments = ""
  private(set) var offsets = ""
  private(set) var muted = ""
  /// What speaks for the cause.
  private(set) var cause = ""
  private(set) var isDataBug = false

  init(_ detail: String) {
    let bytes = Array(detail.utf8)
    guard let document = try? JSONDocument(bytes, depthMax: 8) else { return }
    muted = document["muted_by"]?.string ?? ""
    if let told = document["cause"] {
      isDataBug = told["data_bug"]?.boolean ?? false
      cause = Self.text(told)
    }
    let parts = Self.elements(document["segments"]) + Self.elements(document["producers"])
    segments = parts.prefix(3).compactMap { part in
      guard let name = part["name"]?.string else { return nil }
      return name
    }.joined(separator: ", ")
    offsets = Self.elements(document["window"]?["offsets"]).compactMap { range in
      guard let topic = range["topic"]?.string, let partition = range["partition"]?.integer,
        let first = range["first"]?.integer, let last = range["last"]?.integer
      else { return nil }
      return "\(topic)/\(partition)@\(first)–\(last)"
    }.joined(separator: ", ")
  }

  private static func text(_ cause: JSONDocument) -> String {
    func percent(_ name: String) -> String { "\(Int(((cause[name]?.double ?? 0) * 100).rounded())) %" }
    if let feature = cause["because_of"]?.string { return "because of \(feature)" }
    if let factor = cause["factor"]?.double {
      let part = (cause["share"]?.double ?? 1) < 1 ? " of \(percent("share")) of the rows" : ""
      return "× \(ReportPlot.short(factor))\(part)"
    }
    if let source = cause["source"]?.string { return "source \(source) has stopped" }
    if cause["missing_share"] != nil { return "\(percent("missing_share")) missing" }
    if cause["refused_share"] != nil { return "\(percent("refused_share")) of the events refused" }
    if let distinct = cause["distinct"]?.integer { return "\(distinct) new ones, \(percent("share")) of the rows" }
    if let age = cause["age_ms"]?.integer { return "\(age / 60_000) min old" }
    return ""
  }

  private static func elements(_ document: JSONDocument?) -> [JSONDocument] {
    if case .array(let elements) = document?.content { elements } else { [] }
  }
}
