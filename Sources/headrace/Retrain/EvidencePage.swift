internal import Core
internal import Registry
internal import Training

/// What somebody who approves has to see, on one page that needs nothing from elsewhere: why, on what, how good beside
/// what answers now, where it is worse, what the shadow said, what it cost.
struct EvidencePage {
  private let retraining: RegisteredRetraining

  init(_ retraining: RegisteredRetraining) { self.retraining = retraining }

  var html: String {
    let about = retraining.retraining
    var page = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>\(EscapedText.html(about.id))</title>
      <style>
      body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
      h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
      table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}
      td.n{text-align:right;font-variant-numeric:tabular-nums}.no{color:#a40000}.yes{color:#1a6b2f}
      svg{max-width:100%;height:auto}code{background:#f3f4f6;padding:0 .2rem}
      @media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}th,td{border-color:#333}
      code{background:#222}.no{color:#ff8a80}.yes{color:#7bd88f}}
      </style></head><body>
      <h1>\(EscapedText.html(about.model)): \(EscapedText.html(about.id))</h1>
      <p>Policy <code>\(EscapedText.html(about.policy))</code>, step <strong>\(retraining.step.rawValue)</strong>,
      opened by \(EscapedText.html(about.openedBy)) at
      \(RFC3339.text(milliseconds: retraining.opened.timeMilliseconds)).</p>

      """
    page += causePart + figuresPart + slicesPart + trialPart + costPart + stepsPart
    return page + "</body></html>\n"
  }

  private var causePart: String {
    guard let cause = retraining.cause else { return "" }
    var part = "<h2>Why</h2>\n<p><code>\(EscapedText.html(cause.trigger))</code>"
    if cause.streamMilliseconds > 0 { part += ", stream at \(RFC3339.text(milliseconds: cause.streamMilliseconds))" }
    if !cause.reason.isEmpty { part += ": \(EscapedText.html(cause.reason))" }
    part += "</p>\n"
    guard !cause.alarms.isEmpty else { return part }
    return part
      + Self.table(
        ["feature", "cause", "event"], cause.alarms.prefix(50).map { [$0.feature, $0.cause, $0.eventID] })
  }

  private var figuresPart: String {
    guard let evaluation = retraining.evaluationResult else { return "" }
    let report = evaluation.report
    var part =
      "<h2>Figures</h2>\n<p>\(report.rowCount) rows that no trainer has seen, of dataset "
      + "<code>\(EscapedText.html(report.dataset))</code>; intervals of \(Int(report.confidence * 100)) %.</p>\n"
    part += Self.table(
      ["model", "metric", "value", "from", "to"],
      report.models.flatMap { model in
        model.metrics.map { [model.name, $0.name, Self.figure($0.value), Self.figure($0.low), Self.figure($0.high)] }
      })
    let differences = report.differences.filter {
      $0.role == (evaluation.championVersion == nil ? .baseline : .champion)
    }
    if !differences.isEmpty {
      part += "<h2>Challenger beside \(evaluation.championVersion.map { "version \($0)" } ?? "the baseline")</h2>\n"
      part += Self.intervals(
        differences.map {
          IntervalRow(
            name: $0.metric, value: $0.value, low: $0.low, high: $0.high,
            isGood: $0.isBetter() ? true : $0.isWorse() ? false : nil)
        })
    }
    if !report.findings.isEmpty {
      part += "<h2>Findings</h2>\n"
      part += Self.table(
        ["severity", "about", "what"], report.findings.map { [$0.severity.rawValue, $0.subject, $0.message] })
    }
    return part
  }

  private var slicesPart: String {
    let slices = retraining.evaluationResult?.report.slices ?? []
    let rows = slices.compactMap { slice -> IntervalRow? in
      guard let first = slice.differences.first(where: { $0.role == .champion }) else { return nil }
      return IntervalRow(
        name: "\(slice.name): \(first.metric), \(slice.rowCount) rows", value: first.value, low: first.low,
        high: first.high, isGood: first.isBetter() ? true : first.isWorse() ? false : nil)
    }
    return rows.isEmpty ? "" : "<h2>Slices</h2>\n" + Self.intervals(rows)
  }

  /// What the predictions beside those that answer have shown.
  private var trialPart: String {
    var part = ""
    for step in retraining.steps {
      guard let document = WorkJSON.document(step.evidence), let kind = document["kind"]?.string,
        case .object(let members) = document.content
      else { continue }
      part += "<h2>\(kind == "shadow" ? "In the shadow" : "As a canary")</h2>\n"
      part += Self.table(["figure", "value"], members.map { [$0.name, $0.value.kind] })
    }
    return part
  }

  private var costPart: String {
    guard let dataset = retraining.datasetResult else { return "" }
    var rows = [
      ["dataset", "\(dataset.rowCount) rows", "\(Self.figure(dataset.seconds)) s"],
      [
        "dataset's time",
        "\(RFC3339.text(milliseconds: dataset.fromMilliseconds)) to "
          + "\(RFC3339.text(milliseconds: dataset.toMilliseconds))", "",
      ],
      ["features", "\(dataset.serviceName) \(dataset.serviceFingerprint)", ""],
    ]
    if let model = retraining.modelResult {
      rows.append(["training", model.codeRevision, "\(Self.figure(model.seconds)) s"])
      rows.append(["model", "\(model.contentHash.prefix(16)), \(model.sizeBytes) bytes", ""])
    }
    return "<h2>What it was made of, and took</h2>\n" + Self.table(["part", "what", "time"], rows)
  }

  private var stepsPart: String {
    "<h2>Steps</h2>\n"
      + Self.table(
        ["step", "since", "offset", "note"],
        retraining.steps.map {
          [
            $0.step.rawValue, RFC3339.text(milliseconds: $0.entry.timeMilliseconds), "\($0.entry.offset)", $0.note,
          ]
        })
  }
}

extension EvidencePage {
  private struct IntervalRow {
    var name: String
    var value: Double
    var low: Double
    var high: Double
    /// nil: chance may be it.
    var isGood: Bool?
  }

  /// Differences with their intervals around zero.
  private static func intervals(_ rows: [IntervalRow]) -> String {
    let finite = rows.filter { $0.value.isFinite && $0.low.isFinite && $0.high.isFinite }
    let reach = max(finite.map { max($0.low.magnitude, $0.high.magnitude) }.max() ?? 1, 1e-9)
    let (width, left, rowHeight) = (720.0, 300.0, 26.0)
    func x(_ value: Double) -> Double {
      let place = left + (width - left - 90) * (value / reach + 1) / 2
      return (place * 10).rounded() / 10
    }
    let height = Double(finite.count) * rowHeight + 10
    var svg = "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"differences\">\n"
    svg += "<line x1=\"\(x(0))\" x2=\"\(x(0))\" y1=\"0\" y2=\"\(height)\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>\n"
    for (index, row) in finite.enumerated() {
      let y = Double(index) * rowHeight + 18
      let colour = row.isGood.map { $0 ? "#1a8f3c" : "#c62828" } ?? "#888"
      svg += "<text x=\"0\" y=\"\(y)\" font-size=\"13\" fill=\"currentColor\">\(EscapedText.html(row.name))</text>"
      svg +=
        "<line x1=\"\(x(row.low))\" x2=\"\(x(row.high))\" y1=\"\(y - 4)\" y2=\"\(y - 4)\" stroke=\"\(colour)\" "
        + "stroke-width=\"3\"/><circle cx=\"\(x(row.value))\" cy=\"\(y - 4)\" r=\"4\" fill=\"\(colour)\"/>"
      svg +=
        "<text x=\"\(width - 80)\" y=\"\(y)\" font-size=\"13\" fill=\"currentColor\">\(figure(row.value))</text>\n"
    }
    return svg + "</svg>\n"
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    var text = "<table><thead><tr>\(head.map { "<th>\(EscapedText.html($0))</th>" }.joined())</tr></thead><tbody>\n"
    for row in rows { text += "<tr>\(row.map { "<td>\(EscapedText.html($0))</td>" }.joined())</tr>\n" }
    return text + "</tbody></table>\n"
  }

  private static func figure(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    guard value.magnitude < 1e9 else { return "\(value)" }
    return "\((value * 100_000).rounded() / 100_000)"
  }
}
