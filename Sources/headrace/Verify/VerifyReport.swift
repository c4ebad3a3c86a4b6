internal import Core
internal import OfflineStore

/// What `verify` found, for people and for programs.
struct VerifyReport {
  private let report: ParityReport
  private let subjects: [String]
  private let features: [ParityReport.Feature]

  init(_ report: ParityReport, subjects: [String]) {
    self.report = report
    self.subjects = subjects
    features = report.tallies.keys.sorted()
  }

  var table: String {
    var table = Table([
      ("feature", .left), ("checked", .right), ("equal", .right), ("mismatches", .left), ("= training", .right),
      ("not, because", .left), ("= all events", .right), ("not, because", .left),
    ])
    for feature in features {
      let tallies = report.tallies[feature] ?? [:]
      let served = tallies[.served] ?? .init()
      let training = tallies[.training] ?? .init()
      let happened = tallies[.happened] ?? .init()
      table.append([
        "\(feature.view):\(feature.name)", "\(served.checked)", "\(served.equal)", causes(served), "\(training.equal)",
        causes(training), "\(happened.equal)", causes(happened),
      ])
    }
    let total = report.total(.served)
    var text = features.isEmpty ? "" : table.text + "\n"
    for example in shown { text += sentence(example) }
    text += "\(report.vectors) vectors of \(subjects.joined(separator: ", ")): \(total.checked) values checked, "
    text += "\(total.equal) equal bit for bit, \(total.checked - total.equal) not; \(report.pending) pending: the "
    text += "archive is behind; \(report.uncertain) cannot be made again; \(report.unexplained) unexplained\n"
    if report.brokenRows > 0 { text += "\(report.brokenRows) rows of the tables make no sense\n" }
    return text
  }

  /// Each mismatch of the same events; of the other comparisons one for each cause, because nearly all features of a
  /// row differ for the same reason.
  private var shown: [ParityReport.Example] {
    var seen: Set<String> = []
    return report.examples.filter { example in
      example.comparison == .served || !example.isExplained
        || seen.insert("\(example.comparison) \(example.cause)").inserted
    }
  }

  private func causes(_ tally: ParityReport.Tally) -> String {
    tally.mismatches.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
      .joined(separator: ", ")
  }

  private func sentence(_ example: ParityReport.Example) -> String {
    let other =
      switch example.comparison {
      case .served: "recomputed"
      case .training: "training"
      case .happened: "all events"
      }
    return """
      \(example.cause.rawValue): \(example.feature.view):\(example.feature.name) of \(example.entity) at \
      \(RFC3339.text(milliseconds: example.readMilliseconds)): served \(example.served), \(other) \
      \(example.recomputed); \(example.explanation) [read at \(example.position)]

      """
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      for (key, number) in [
        ("vectors", report.vectors), ("pending_values", report.pending), ("uncertain_values", report.uncertain),
        ("unexplained", report.unexplained), ("broken_rows", Int64(report.brokenRows)),
      ] {
        writer.key(key)
        writer.number(number)
      }
      writer.key("tables")
      writer.array { writer in for subject in subjects { writer.string(subject) } }
      for comparison in ParityReport.Comparison.allCases {
        writer.key(comparison.rawValue)
        write(report.total(comparison), to: &writer)
      }
      writer.key("features")
      writer.array { writer in for feature in features { write(feature, to: &writer) } }
      writer.key("examples")
      writer.array { writer in for example in report.examples { write(example, to: &writer) } }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ tally: ParityReport.Tally, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("checked")
      writer.number(tally.checked)
      writer.key("equal")
      writer.number(tally.equal)
      writer.key("mismatches")
      writer.object { writer in
        for (cause, count) in tally.mismatches.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
          writer.key(cause.rawValue)
          writer.number(count)
        }
      }
    }
  }

  private func write(_ feature: ParityReport.Feature, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("view")
      writer.string(feature.view)
      writer.key("feature")
      writer.string(feature.name)
      for comparison in ParityReport.Comparison.allCases {
        writer.key(comparison.rawValue)
        write(report.tallies[feature]?[comparison] ?? .init(), to: &writer)
      }
    }
  }

  private func write(_ example: ParityReport.Example, to writer: inout JSONWriter) {
    writer.object { writer in
      for (key, text) in [
        ("against", example.comparison.rawValue), ("cause", example.cause.rawValue), ("view", example.feature.view),
        ("feature", example.feature.name), ("entity", example.entity),
        ("read_at", RFC3339.text(milliseconds: example.readMilliseconds)), ("position", example.position),
        ("served", example.served), ("recomputed", example.recomputed), ("explanation", example.explanation),
      ] {
        writer.key(key)
        writer.string(text)
      }
      writer.key("service")
      if let service = example.service { writer.string(service) } else { writer.null() }
      writer.key("explained")
      writer.boolean(example.isExplained)
    }
  }
}
