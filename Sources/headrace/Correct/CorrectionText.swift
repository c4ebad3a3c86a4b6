internal import Core
internal import Registry
internal import Runtime

/// What corrections came to, for people and for programs.
enum CorrectionText {
  static func tell(
    _ report: CorrectionReport, version: ModelVersion, isDryRun: Bool, _ output: OutputFormat
  ) throws {
    switch output {
    case .json: try StandardOutput.writeAll(json(report, version: version, isDryRun: isDryRun))
    case .table: try StandardOutput.writeAll(Array(text(report, version: version, isDryRun: isDryRun).utf8))
    }
  }

  private static func json(_ report: CorrectionReport, version: ModelVersion, isDryRun: Bool) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("version", version.number)
      json.member("dry_run", isDryRun)
      json.member("predictions", report.predictionCount)
      json.member("already", report.currentCount)
      json.member("corrected", report.correctedCount)
      json.member("scores_changed", report.changedScoreCount)
      json.member("labels_changed", report.changedLabelCount)
      json.member("mean_difference", report.meanDifference)
      json.member("largest_difference", report.largestDifference)
      json.key("examples")
      json.array { list in
        for example in report.examples {
          list.object { json in
            json.member("id", example.id)
            json.member("revision", example.revision)
            json.key("before")
            if let before = example.before { json.double(before) } else { json.null() }
            json.member("after", example.after)
          }
        }
      }
      json.member("was_done", report.wasDone)
      json.key("record")
      if let record = report.record { record.write(to: &json) } else { json.null() }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func text(_ report: CorrectionReport, version: ModelVersion, isDryRun: Bool) -> String {
    let count = Figures.grouped(Int(clamping: report.correctedCount))
    let all = Figures.grouped(Int(clamping: report.predictionCount))
    if report.wasDone { return "\(all) predictions, all of them by version \(version.number) already\n" }
    var text =
      "\(count) of \(all) predictions \(isDryRun ? "would be" : "were") made again by version \(version.number): "
      + "\(Figures.grouped(Int(clamping: report.changedScoreCount))) scores and "
      + "\(Figures.grouped(Int(clamping: report.changedLabelCount))) labels differ, by "
      + "\(Figures.fixed(report.meanDifference, 4)) on average, \(Figures.fixed(report.largestDifference, 4)) at most\n"
    guard isDryRun, !report.examples.isEmpty else { return text }
    var table = Table([("prediction", .left), ("revision", .right), ("before", .right), ("after", .right)])
    for example in report.examples {
      table.append([
        example.id, "\(example.revision)", example.before.map { Figures.fixed($0, 6) } ?? "-",
        Figures.fixed(example.after, 6),
      ])
    }
    text += "\n" + table.text
    return text
  }

  static func tell(_ records: [CorrectionRecord], _ output: OutputFormat) throws {
    if output == .json {
      var writer = JSONWriter()
      writer.array { list in for record in records { record.write(to: &list) } }
      return try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
    var table = Table([
      ("when", .left), ("who", .left), ("version", .right), ("events", .left), ("corrected", .right), ("why", .left),
    ])
    for record in records {
      let places = record.ranges.sorted { $0.key < $1.key }.map {
        "\($0.key):\($0.value.lowerBound)-\($0.value.upperBound)"
      }
      table.append([
        RFC3339.text(milliseconds: record.atMilliseconds), record.actor, "\(record.version)",
        "\(record.topic) \(places.joined(separator: ", "))", Figures.grouped(Int(clamping: record.correctedCount)),
        record.reason,
      ])
    }
    try StandardOutput.writeAll(Array((records.isEmpty ? "no corrections\n" : table.text).utf8))
  }
}
