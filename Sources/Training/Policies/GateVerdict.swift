internal import Core
package import Topology

/// What the gates of a policy say of a challenger.
package struct GateVerdict: Sendable, Equatable {
  package struct Finding: Sendable, Equatable {
    /// As the policy says it.
    package var gate: String
    package var found: String
    package var holds: Bool
  }

  package var findings: [Finding]

  package var passes: Bool { findings.allSatisfy(\.holds) }

  /// Why not; of a challenger that passes, by how much.
  package var text: String {
    let shown = passes ? findings : findings.filter { !$0.holds }
    return shown.isEmpty ? "no gate" : shown.map { "\($0.gate): \($0.found)" }.joined(separator: "; ")
  }

  package var json: String {
    WorkJSON.text { json in
      json.member("passes", passes)
      json.key("gates")
      json.array { array in
        for finding in findings {
          array.object { json in
            json.member("gate", finding.gate)
            json.member("found", finding.found)
            json.member("holds", finding.holds)
          }
        }
      }
    }
  }

  package init(findings: [Finding]) { self.findings = findings }

  /// Holds a report against the gates.
  package init(_ policy: PolicyPlan, _ result: EvaluationResult) {
    let report = result.report
    findings = policy.gates.map { Self.finding($0, report, hasChampion: result.championVersion != nil) }
    if let slices = policy.slices { findings += Self.findings(slices, report) }
    // A model that saw the answer is good for nothing, whatever its figures say.
    findings += report.findings.filter { $0.severity == .error }.map {
      Finding(gate: "no leakage", found: "\($0.subject): \($0.message)", holds: false)
    }
  }

  private static func finding(_ gate: PolicyGate, _ report: EvaluationReport, hasChampion: Bool) -> Finding {
    switch gate {
    case .bounds(let metric, let bounds):
      guard let value = report.challenger?[metric.rawValue]?.value else { return missing(gate, metric) }
      let holds =
        value.isFinite && (bounds.minimum.map { value >= $0 } ?? true) && (bounds.maximum.map { value <= $0 } ?? true)
      return Finding(gate: gate.text, found: shown(value), holds: holds)
    case .betterThanChampion(let metric, let margin):
      // The first model of all has to be better than no model.
      let role = hasChampion ? EvaluationReport.Role.champion : .baseline
      guard let difference = report.difference(metric.rawValue, against: role) else { return missing(gate, metric) }
      let gain = difference.higherIsBetter ? difference.value : -difference.value
      let found =
        "\(difference.value >= 0 ? "+" : "")\(shown(difference.value)) "
        + "[\(shown(difference.low)), \(shown(difference.high))]" + (hasChampion ? "" : " beside the baseline")
      return Finding(gate: gate.text, found: found, holds: gain > margin && difference.isBetter())
    }
  }

  private static func missing(_ gate: PolicyGate, _ metric: ModelMetric) -> Finding {
    Finding(gate: gate.text, found: "\(metric.rawValue) has no value on these rows", holds: false)
  }

  private static func findings(_ slices: PolicySlices, _ report: EvaluationReport) -> [Finding] {
    report.slices.filter { $0.rowCount >= slices.minimumRowCount }.compactMap { slice in
      let compared = slice.differences.first { $0.metric == slices.metric.rawValue && $0.role == .champion }
      guard let compared else { return nil }
      let loss = compared.higherIsBetter ? -compared.value : compared.value
      return Finding(
        gate: "\(slices.metric.rawValue) where \(slice.name) worse by at most \(slices.worseByAtMost)",
        found: "\(shown(compared.value)) [\(shown(compared.low)), \(shown(compared.high))] of \(slice.rowCount) rows",
        holds: !(loss > slices.worseByAtMost && compared.isWorse()))
    }
  }

  private static func shown(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
    return "\((value * 10_000).rounded() / 10_000)"
  }
}
