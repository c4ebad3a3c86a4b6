internal import Core
internal import Glibc

/// A page about costs that needs nothing beside itself: no script, no style sheet, no font from elsewhere.
package struct CostPage: Sendable {
  private let report: CostReport
  private let advice: [Advice]
  private let curve: BatchCurve
  private let time: @Sendable (Int64) -> String

  /// - Parameter time: epoch milliseconds as text.
  package init(
    _ report: CostReport, advice: [Advice], curve: BatchCurve, time: @escaping @Sendable (Int64) -> String
  ) {
    self.report = report
    self.advice = advice
    self.curve = curve
    self.time = time
  }

  package var html: String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>Cost of \(EscapedText.html(report.usage.topology))</title>
    <style>
    body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
    table{border-collapse:collapse;margin:1rem 0}
    td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #dde}
    td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}.note{color:#667}
    </style></head><body>
    <h1>Cost of \(EscapedText.html(report.usage.topology))</h1>
    <p>\(time(report.usage.fromMilliseconds)) to \(time(report.usage.toMilliseconds)) ·
    <strong>\(money(report.total))</strong> · idle \(percent(report.usage.idleShare)) ·
    not attributed \(percent(report.usage.unattributedShare)) of the CPU</p>
    \(unitTable)
    <h2>By operator</h2>
    \(bars(operators))
    <h2>By tenant</h2>
    \(tenantTable)
    <h2>By view, model, source and table</h2>
    <p class="note">Loaded: with a share of what belongs to nobody, by the direct costs. Loaded figures add up.</p>
    \(shareTable)
    <h2>Batch sizes</h2>
    \(curvePlot)
    <h2>Advice</h2>
    \(adviceList)
    </body></html>

    """
  }

  private var operators: [(String, Double)] {
    var sums: [String: Double] = [:]
    for line in report.lines { sums[line.operation, default: 0] += line.cost }
    return sums.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
  }

  private var unitTable: String {
    table(
      ["", "count", "per 1,000", "loaded"],
      report.unitCosts.map { [$0.unit, "\($0.count)", money($0.perThousand), money($0.perThousandLoaded)] })
  }

  private var tenantTable: String {
    let tenants = report.tenants
    let rows = tenants.prefix(Self.rowsMaximum).map {
      [$0.tenant, "\($0.events)", "\($0.predictions)", money($0.direct), money($0.loaded)]
    }
    return table(["", "events", "predictions", "direct", "loaded"], rows) + Self.more(tenants.count)
  }

  private var shareTable: String {
    let shares = report.shares
    let rows = shares.prefix(Self.rowsMaximum).map {
      ["\($0.subject.kind.rawValue) \($0.subject.name)", $0.tenant, money($0.direct), money($0.loaded)]
    }
    return table(["", "tenant", "direct", "loaded"], rows) + Self.more(shares.count)
  }

  /// A field of events may have a thousand tenants: the JSON of the report has all of them.
  private static let rowsMaximum = 200

  private static func more(_ count: Int) -> String {
    count > rowsMaximum ? "<p class=\"note\">and \(count - rowsMaximum) more</p>" : ""
  }

  private func table(_ header: [String], _ rows: [[String]]) -> String {
    let head = header.map { "<th>\(EscapedText.html($0))</th>" }.joined()
    let body = rows.map { "<tr>" + $0.map { "<td>\(EscapedText.html($0))</td>" }.joined() + "</tr>" }.joined(
      separator: "\n")
    return "<table><tr>\(head)</tr>\n\(body)</table>"
  }

  /// A horizontal bar for each, the longest first.
  private func bars(_ values: [(name: String, value: Double)]) -> String {
    let largest = values.first?.value ?? 0
    guard largest > 0 else { return "<p>Nothing has a price.</p>" }
    var svg = "<svg viewBox=\"0 0 800 \(values.count * 24 + 4)\" role=\"img\" aria-label=\"Cost by operator\">"
    for (index, entry) in values.enumerated() {
      let (y, width) = (index * 24, 420 * entry.value / largest)
      svg += "<text x=\"0\" y=\"\(y + 16)\" font-size=\"13\">\(EscapedText.html(entry.name))</text>"
      svg += "<rect x=\"170\" y=\"\(y + 4)\" width=\"\(rounded(width, 1))\" height=\"15\" fill=\"#3572b0\"/>"
      svg += "<text x=\"\(rounded(178 + width, 1))\" y=\"\(y + 16)\" font-size=\"13\">\(money(entry.value))</text>"
    }
    return svg + "</svg>"
  }

  /// Nanoseconds of an event over the size of its batch, both logarithmic, with the fitted line and its knee.
  private var curvePlot: String {
    let points = curve.points.filter { $0.rows > 0 && $0.nanoseconds > 0 }
    guard points.count > 1, let low = points.map(\.nanosecondsPerRow).min(),
      let high = points.map(\.nanosecondsPerRow).max()
    else { return "<p>Batches had one size only.</p>" }
    let sizes = points.map(\.meanRows)
    let (first, last) = (sizes.min() ?? 1, max(sizes.max() ?? 2, 2))
    func x(_ size: Double) -> Double { 60 + 700 * log2(size / first) / max(log2(last / first), 1e-9) }
    func y(_ cost: Double) -> Double { 20 + 200 * (1 - log2(cost / low) / max(log2(high / low), 1e-9)) }
    var svg = "<svg viewBox=\"0 0 800 260\" role=\"img\" aria-label=\"CPU of an event by batch size\">"
    let line = points.map { "\(rounded(x($0.meanRows), 1)),\(rounded(y($0.nanosecondsPerRow), 1))" }
    svg += "<polyline fill=\"none\" stroke=\"#3572b0\" stroke-width=\"2\" points=\"\(line.joined(separator: " "))\"/>"
    for point in points {
      let (cx, cy) = (rounded(x(point.meanRows), 1), rounded(y(point.nanosecondsPerRow), 1))
      svg += "<circle cx=\"\(cx)\" cy=\"\(cy)\" r=\"4\" fill=\"#3572b0\"><title>\(Int(point.meanRows)) rows: "
      svg += "\(Int(point.nanosecondsPerRow)) ns</title></circle>"
      svg += "<text x=\"\(cx)\" y=\"250\" font-size=\"12\" text-anchor=\"middle\">\(Int(point.meanRows))</text>"
    }
    if let knee = curve.line?.knee, knee > first, knee < last {
      let at = rounded(x(knee), 1)
      svg += "<line x1=\"\(at)\" x2=\"\(at)\" y1=\"20\" y2=\"220\" stroke=\"#c0392b\" stroke-dasharray=\"4\"/>"
      svg +=
        "<text x=\"\(at)\" y=\"14\" font-size=\"12\" fill=\"#c0392b\" text-anchor=\"middle\">knee \(Int(knee))</text>"
    }
    svg += "<text x=\"0\" y=\"\(rounded(y(high) + 4, 1))\" font-size=\"12\">\(Int(high)) ns</text>"
    svg += "<text x=\"0\" y=\"\(rounded(y(low) + 4, 1))\" font-size=\"12\">\(Int(low)) ns</text>"
    return svg + "</svg>"
  }

  private var adviceList: String {
    guard !advice.isEmpty else { return "<p>Nothing stands out.</p>" }
    let items = advice.map { entry in
      let saved = entry.savedShare.map { " (saves \(percent($0)) of it)" } ?? ""
      return "<li><strong>\(EscapedText.html(entry.subject))</strong>: \(EscapedText.html(entry.reason)); "
        + "\(EscapedText.html(entry.remedy))\(saved)</li>"
    }
    return "<ul>\(items.joined(separator: "\n"))</ul>"
  }

  private func money(_ amount: Double) -> String { "\(MoneyText.text(amount)) \(report.currency)" }
  private func percent(_ share: Double) -> String { "\(rounded(share * 100, 1)) %" }

  private func rounded(_ value: Double, _ digits: Int) -> Double {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    return (value * scale).rounded() / scale
  }
}

/// Amounts of money as people read them.
package enum MoneyText {
  /// Two digits behind the point from 1 on; below that four that say something: `0.00001234`.
  package static func text(_ amount: Double) -> String {
    guard amount.isFinite, amount.magnitude < 1e12 else { return "\(amount)" }
    guard amount != 0 else { return "0" }
    var digits = 2
    var magnitude = amount.magnitude
    while magnitude < 1, digits < 14 {
      magnitude *= 10
      digits += 1
    }
    if digits > 2 { digits += 1 }
    return decimal(amount, digits)
  }

  /// Without an exponent: spreadsheets and validators of CSV take it for text.
  package static func decimal(_ amount: Double, _ digits: Int) -> String {
    guard amount.isFinite else { return "0" }
    var (scaled, scale) = (amount.magnitude, UInt64(1))
    for _ in 0..<min(max(digits, 0), 15) {
      scaled *= 10
      scale *= 10
    }
    guard scaled < 9e18 else { return "\(Int64(clamping: Int(exactly: amount.rounded()) ?? 0))" }
    let whole = UInt64(scaled.rounded())
    let sign = amount < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let fraction = String(whole % scale)
    return "\(sign)\(whole / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
