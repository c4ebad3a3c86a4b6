internal import Core
internal import Drift
internal import Monitoring

/// What `drift compare` prints.
struct DriftCompareReport {
  private let report: BatchComparison.Report
  private let names: [DriftTest: String]

  init(_ report: BatchComparison.Report, _ choices: [DriftTestChoice]) {
    self.report = report
    names = Dictionary(choices.map { ($0.test, $0.name) }) { first, _ in first }
  }

  /// The name that the user gave to a test, so that a script finds what it asked for.
  private func name(_ test: DriftTest) -> String { names[test] ?? test.rawValue }

  private var driftedFeatures: [FeatureDrift] {
    report.features.filter { $0.results.contains(where: \.isDrift) }
  }

  var text: String {
    var table = Table([
      ("feature", .left), ("test", .left), ("score", .right), ("threshold", .right), ("drift", .left),
    ])
    for feature in report.features {
      for (index, result) in feature.results.enumerated() {
        let estimate = result.score.estimate
        let bounds =
          estimate.isExact ? "" : " [\(Self.short(estimate.lowerBound)), \(Self.short(estimate.upperBound))]"
        table.append([
          index == 0 ? feature.feature : "", name(result.test), Self.short(result.score.score) + bounds,
          result.threshold.map { Self.short($0.value) } ?? "-", result.isDrift ? "drift" : "",
        ])
      }
    }
    let drifted = driftedFeatures.map(\.feature)
    let rows = "\(Figures.grouped(report.referenceRowCount)) and \(Figures.grouped(report.currentRowCount)) rows"
    let verdict =
      drifted.isEmpty
      ? "none of \(report.features.count) features drifts"
      : "\(drifted.count) of \(report.features.count) features: \(drifted.joined(separator: ", "))"
    return table.text + "\n\(rows); \(verdict)\n"
  }

  /// Four figures behind the point; what is smaller is a power of ten.
  private static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0, value.magnitude < 1e-4 else { return Figures.fixed(value, 4) }
    var (mantissa, exponent) = (value, 0)
    while mantissa.magnitude < 1, exponent > -400 {
      mantissa *= 10
      exponent -= 1
    }
    return "\(Figures.fixed(mantissa, 1))e\(exponent)"
  }

  func json(_ definition: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("definition", definition)
      writer.member("reference_rows", report.referenceRowCount)
      writer.member("current_rows", report.currentRowCount)
      writer.member("drifted_features", driftedFeatures.count)
      writer.key("features")
      writer.array { writer in
        for feature in report.features {
          writer.object { writer in
            writer.member("feature", feature.feature)
            writer.member("drift", feature.results.contains(where: \.isDrift))
            writer.key("tests")
            writer.object { writer in
              for result in feature.results {
                writer.key(name(result.test))
                write(result, to: &writer)
              }
            }
          }
        }
      }
      for (key, names) in [("only_in_reference", report.onlyInReference), ("only_in_current", report.onlyInCurrent)] {
        writer.key(key)
        writer.array { writer in for name in names { writer.string(name) } }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ result: TestResult, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("score", result.score.score)
      writer.key("threshold")
      if let threshold = result.threshold { writer.double(threshold.value) } else { writer.null() }
      writer.member("drift", result.isDrift)
      if let probability = result.score.pValue { writer.member("p_value", probability) }
      let estimate = result.score.estimate
      guard !estimate.isExact else { return }
      writer.member("lower", estimate.lowerBound)
      writer.member("upper", estimate.upperBound)
    }
  }
}
