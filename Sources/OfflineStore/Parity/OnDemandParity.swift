internal import Columns
internal import Expressions
internal import Features

/// Holds what was computed for a request against the same expression over values that were made again.
struct OnDemandParity {
  private let specification: ParitySpecification
  private let vector: ServedVector
  /// Of views; then of on-demand features, as they are computed.
  private let values: [ParitySpecification.Input: FeatureValue]

  init(
    _ specification: ParitySpecification, _ vector: ServedVector,
    _ values: [ParitySpecification.Input: FeatureValue]
  ) {
    self.specification = specification
    self.vector = vector
    self.values = values
  }

  func compare(into report: inout ParityReport) {
    var computed: [String: Value] = [:]
    for feature in vector.onDemand {
      guard let plan = specification.onDemand.first(where: { $0.name == feature.name }) else {
        note(feature, "none", .version, "the plan has no such on-demand feature", &report)
        continue
      }
      guard let value = evaluate(plan, computed) else {
        report.pending += 1
        continue
      }
      computed[feature.name] = value
      let status: FeatureStatus = value == .null ? .nullValue : .present
      let again = FeatureValue(value: value, status: status, eventTimeMilliseconds: nil)
      if feature.isSame(as: again) {
        report.noteEqual(key(feature), .served)
      } else if feature.fingerprint != plan.fingerprint {
        let why = "served by definition \(feature.fingerprint), the plan has \(plan.fingerprint)"
        note(feature, ServedValue(value).text, .version, why, &report)
      } else {
        let why = "the same inputs by the same definition give another value"
        note(feature, ServedValue(value).text, .code, why, &report)
      }
    }
  }

  /// - Returns: nil when one of its inputs could not be made again.
  private func evaluate(_ plan: ParitySpecification.OnDemand, _ computed: [String: Value]) -> Value? {
    var batch = ColumnBatch(plan.inputs.map(\.type))
    batch.rowCount = 1
    for (index, (input, type)) in plan.inputs.enumerated() {
      guard let value = value(input, type, computed) else { return nil }
      if !batch.columns[index].append(value) { batch.columns[index].appendNull() }
    }
    var result = Column(plan.expression.type)
    var scratch = ExpressionScratch()
    plan.expression.evaluate(batch, into: &result, scratch: &scratch)
    return result.count > 0 ? result.value(0) : .null
  }

  private func value(_ input: ParitySpecification.Input, _ type: ColumnType, _ computed: [String: Value]) -> Value? {
    switch input {
    case .feature: values[input]?.value
    case .request(let name): vector.request.first { $0.name == name }?.value.value(of: type)
    case .onDemand(let name): computed[name]
    }
  }

  private func key(_ feature: ServedVector.Feature) -> ParityReport.Feature {
    ParityReport.Feature(view: vector.service ?? "on_demand", name: feature.name)
  }

  private func note(
    _ feature: ServedVector.Feature, _ recomputed: String, _ cause: ParityReport.Cause, _ explanation: String,
    _ report: inout ParityReport
  ) {
    let read = vector.reads.first
    report.note(
      ParityReport.Example(
        comparison: .served, cause: cause, feature: key(feature), service: vector.service,
        entity: EntityText.text(read?.key ?? []), readMilliseconds: read?.readMilliseconds ?? vector.servedMilliseconds,
        position: vector.reads.map(\.prefix.text).joined(separator: ", "), served: feature.text,
        recomputed: recomputed, explanation: explanation, isExplained: cause != .code))
  }
}
