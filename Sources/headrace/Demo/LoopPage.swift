internal import Core
internal import Drift
internal import Monitoring

/// What a run of the loop came to, as one page that needs nothing from anywhere.
struct LoopPage {
  private let result: LoopResult
  private let history: DriftHistory

  init(_ result: LoopResult, _ history: DriftHistory) {
    self.result = result
    self.history = history
  }

  var html: String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>The loop: \(EscapedText.html(history.model))</title><style>\(DriftReportPage.style)
    .frozen{stroke:#999;stroke-dasharray:5 3}.frozenband{fill:#9993}.mark{stroke:#393}.first{fill:#999}
    .wide svg{font-size:10px}.number{text-align:right}</style></head>
    <body>
    <h1>\(EscapedText.html(history.model)): the model that follows, and the one that does not</h1>
    \(summary)
    <h2>Area under the ROC curve, by period</h2>
    <figure class="wide">\(LoopPlot(result).svg)</figure>
    <p class="muted">Blue: what was served. Grey: the first model, on the same events, as if it had never been trained
    again. Bands are 95 % intervals (DeLong). Green: another version was promoted.</p>
    \(periods)
    <h2>What happened</h2>
    <table><tr><th>Day</th><th></th></tr>
    \(moments)</table>
    <h2>What the monitors saw</h2>
    \(DriftReportPage(history).sections)</body></html>

    """
  }

  private var summary: String {
    var text =
      "<p>\(Figures.grouped(Int(result.events))) events from \(LoopScenario.day(result.scenario.range.lowerBound)) to "
      + "\(LoopScenario.day(result.scenario.range.upperBound)), \(Figures.grouped(result.predictions)) predictions, "
      + "\(result.driftAlarms) drift alarms, \(result.retrainings) retrainings, \(result.promotions) promotions.</p>\n"
    guard let compared = result.figures.compared else { return text }
    text +=
      "<p><strong>\(LoopResult.signed(compared.difference.value)) AUC</strong> from "
      + "\(LoopScenario.day(result.scenario.comparedFrom)) on: \(Figures.fixed(compared.served.value, 4)) served, "
      + "\(Figures.fixed(compared.frozen.value, 4)) never trained again; the difference lies in "
      + "\(LoopResult.range(compared.difference)) (95 %, DeLong for paired curves, "
      + "\(Figures.grouped(compared.labelledCount)) labels).</p>"
    return text
  }

  private var periods: String {
    var rows = ""
    for (period, quality) in result.figures.periods {
      guard let quality else { continue }
      let cells = [
        Figures.grouped(quality.predictionCount), Figures.grouped(quality.labelledCount),
        Figures.fixed(quality.served.value, 4), Figures.fixed(quality.frozen.value, 4),
        LoopResult.signed(quality.difference.value), LoopResult.range(quality.difference),
      ]
      rows += "<tr><td>\(period.name)</td>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
    }
    return "<table><tr><th>Period</th><th>Predictions</th><th>Labels</th><th>Served</th><th>Frozen</th>"
      + "<th>Difference</th><th>95 %</th></tr>\n\(rows)</table>"
  }

  private var moments: String {
    result.moments.map {
      "<tr><td>\(LoopScenario.day($0.timeMilliseconds))</td><td>\(EscapedText.html($0.text))</td></tr>\n"
    }.joined()
  }
}

/// Two lines over the same periods, with their intervals.
private struct LoopPlot {
  private static let (width, height) = (840.0, 260.0)
  private static let margin = (left: 46.0, right: 10.0, top: 10.0, bottom: 22.0)

  private let points: [(name: String, middle: Int64, quality: LoopFigures.Quality)]
  private let promotions: [Int64]
  private let times: Range<Int64>
  private let values: ClosedRange<Double>

  init(_ result: LoopResult) {
    points = result.figures.periods.compactMap { period, quality in
      quality.map { (period.name, (period.range.lowerBound + period.range.upperBound) / 2, $0) }
    }
    promotions = result.moments.filter(\.isPromotion).map(\.timeMilliseconds)
    times = result.scenario.firstModelAt..<max(result.scenario.range.upperBound, result.scenario.firstModelAt + 1)
    let all = points.flatMap {
      [$0.quality.served.lower, $0.quality.served.upper, $0.quality.frozen.lower, $0.quality.frozen.upper]
    }
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    values = low...max(high, low + 1e-6)
  }

  var svg: String {
    var svg = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\">"
    let bottom = Self.height - Self.margin.bottom
    for step in 0...4 {
      let value = values.lowerBound + (values.upperBound - values.lowerBound) * Double(step) / 4
      svg +=
        "<line class=\"axis\" x1=\"\(Self.margin.left)\" x2=\"\(Self.width - Self.margin.right)\" y1=\"\(y(value))\" "
        + "y2=\"\(y(value))\" stroke-opacity=\"0.4\"/><text x=\"\(Self.margin.left - 4)\" y=\"\(y(value) + 3)\" "
        + "text-anchor=\"end\">\(Figures.fixed(value, 3))</text>"
    }
    for time in promotions {
      svg +=
        "<line class=\"mark\" x1=\"\(x(time))\" x2=\"\(x(time))\" y1=\"\(Self.margin.top)\" y2=\"\(bottom)\">"
        + "<title>promoted on \(LoopScenario.day(time))</title></line>"
    }
    svg += band("frozenband", \.frozen) + band("band", \.served)
    svg += line("line frozen", "first", \.frozen) + line("line", "dot", \.served)
    for (index, point) in points.enumerated() where index % max((points.count + 11) / 12, 1) == 0 {
      svg +=
        "<text x=\"\(x(point.middle))\" y=\"\(Self.height - 6)\" text-anchor=\"middle\">\(point.name)</text>"
    }
    return svg + "</svg>"
  }

  private func line(_ style: String, _ dot: String, _ figure: KeyPath<LoopFigures.Quality, Interval>) -> String {
    let places = points.map { "\(x($0.middle)),\(y($0.quality[keyPath: figure].value))" }
    return "<polyline class=\"\(style)\" points=\"\(places.joined(separator: " "))\"/>"
      + points.map { point in
        let value = point.quality[keyPath: figure].value
        return "<circle class=\"\(dot)\" cx=\"\(x(point.middle))\" cy=\"\(y(value))\" r=\"2.5\"><title>\(point.name): "
          + "\(Figures.fixed(value, 4))</title></circle>"
      }.joined()
  }

  private func band(_ style: String, _ figure: KeyPath<LoopFigures.Quality, Interval>) -> String {
    let above = points.map { "\(x($0.middle)),\(y($0.quality[keyPath: figure].upper))" }
    let below = points.reversed().map { "\(x($0.middle)),\(y($0.quality[keyPath: figure].lower))" }
    return "<polygon class=\"\(style)\" points=\"\((above + below).joined(separator: " "))\"/>"
  }

  private func x(_ time: Int64) -> Double {
    let part = Double(time - times.lowerBound) / Double(times.upperBound - times.lowerBound)
    return tenths(Self.margin.left + part * (Self.width - Self.margin.left - Self.margin.right))
  }

  private func y(_ value: Double) -> Double {
    let part = (value - values.lowerBound) / (values.upperBound - values.lowerBound)
    return tenths(Self.height - Self.margin.bottom - part * (Self.height - Self.margin.bottom - Self.margin.top))
  }

  private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
