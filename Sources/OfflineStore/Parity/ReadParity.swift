internal import Columns
internal import Core
internal import Features

/// Holds the values of one read against those that were made again.
struct ReadParity {
  private let view: ParitySpecification.View
  private let read: ServedVector.Read
  private let vector: ServedVector
  private let replayed: ReplayedRead
  private let defaults: [ParitySpecification.Input: Value]

  init(
    _ view: ParitySpecification.View, _ read: ServedVector.Read, _ vector: ServedVector, _ replayed: ReplayedRead,
    _ defaults: [ParitySpecification.Input: Value]
  ) {
    self.view = view
    self.read = read
    self.vector = vector
    self.replayed = replayed
    self.defaults = defaults
  }

  /// - Returns: the values that were made again, for what is computed of them; by the view's features.
  func compare(into report: inout ParityReport) -> [FeatureValue] {
    let best = replayed.served.map { (candidate: $0, mismatches: mismatches($0.values)) }
      .min { $0.mismatches < $1.mismatches }?.candidate
    guard let best else { return [] }
    for feature in read.features {
      guard let position = position(of: feature) else {
        note(feature, nil, .served, .version, "the plan has no such feature", isExplained: true, &report)
        continue
      }
      compareServed(feature, position, best.values, &report)
      // What differs by definition differs from a training set for the same reason.
      guard feature.fingerprint == view.fingerprints[position] else { continue }
      compare(feature, replayed.training[position], .training, best, position, &report)
      compare(feature, replayed.happened[position], .happened, best, position, &report)
    }
    return best.values
  }

  private func position(of feature: ServedVector.Feature) -> Int? {
    view.point.features.firstIndex { $0.name == feature.name }
  }

  private func mismatches(_ values: [FeatureValue]) -> Int {
    read.features.count { feature in position(of: feature).map { !feature.isSame(as: values[$0]) } ?? false }
  }

  private func compareServed(
    _ feature: ServedVector.Feature, _ position: Int, _ values: [FeatureValue], _ report: inout ParityReport
  ) {
    let value = values[position]
    let isSameDefinition = feature.fingerprint == view.fingerprints[position]
    if feature.isSame(as: value) {
      guard !hasOtherDefault(feature) else {
        return note(
          feature, value, .served, .version, "the service puts another default in the place of its null",
          isExplained: true, &report)
      }
      return report.noteEqual(key(feature), .served)
    }
    if replayed.isUncertain {
      report.uncertain += 1
    } else if (feature.status == .outsideMaxAge) != (value.status == .outsideMaxAge) {
      let by = isSameDefinition ? "under the same definition" : "the view's ttl is another one now"
      let which = feature.status == .outsideMaxAge ? "the served value" : "the recomputed value"
      note(
        feature, value, .served, .ttl, "\(which) is past its ttl and the other is not: \(by)",
        isExplained: !isSameDefinition, &report)
    } else if !isSameDefinition {
      note(
        feature, value, .served, .version,
        "served by definition \(feature.fingerprint), the plan has \(view.fingerprints[position])", isExplained: true,
        &report)
    } else {
      note(
        feature, value, .served, .code, "the same records by the same definition give another value",
        isExplained: false, &report)
    }
  }

  private func hasOtherDefault(_ feature: ServedVector.Feature) -> Bool {
    guard vector.service != nil, let served = feature.servedDefault else { return false }
    let planned = defaults[.feature(view: view.point.name, name: feature.name)] ?? .null
    return ServedValue(planned).text != served.text
  }

  /// - Parameter best: what the records that were served give: of them alone the difference can be explained.
  private func compare(
    _ feature: ServedVector.Feature, _ value: FeatureValue, _ comparison: ParityReport.Comparison,
    _ best: ReplayedRead.Candidate, _ position: Int, _ report: inout ParityReport
  ) {
    if feature.isSame(as: value) { return report.noteEqual(key(feature), comparison) }
    // What was served is no value of its records, which was said.
    guard feature.isSame(as: best.values[position]) else { return }
    let (cause, explanation) = explain(comparison, best.difference)
    note(feature, value, comparison, cause, explanation, isExplained: cause != .code, &report)
  }

  private func explain(
    _ comparison: ParityReport.Comparison, _ difference: HistoryDifference
  ) -> (ParityReport.Cause, String) {
    var place = ""
    if let position = difference.position {
      place = ", the last at \(view.topic)/\(position.partition) offset \(position.offset)"
    }
    func events(_ count: Int) -> String { count == 1 ? "1 event" : "\(count) events" }
    if difference.misplaced > 0 {
      return (.misplaced, "in another partition than their key belongs to: \(events(difference.misplaced))\(place)")
    }
    if comparison == .happened, difference.late > 0 {
      return (.late, "\(events(difference.late)) of earlier times came after the read, or too late for any row\(place)")
    }
    if difference.unapplied > 0 {
      return (.unapplied, "in the log and not yet applied: \(events(difference.unapplied))\(place)")
    }
    if difference.ahead > 0 {
      return (
        .ahead, "the row had \(events(difference.ahead)) that happened or became known after the read time\(place)"
      )
    }
    return (.code, "the same events give another value")
  }

  private func key(_ feature: ServedVector.Feature) -> ParityReport.Feature {
    ParityReport.Feature(view: read.view, name: feature.name)
  }

  private func note(
    _ feature: ServedVector.Feature, _ value: FeatureValue?, _ comparison: ParityReport.Comparison,
    _ cause: ParityReport.Cause, _ explanation: String, isExplained: Bool, _ report: inout ParityReport
  ) {
    report.note(
      ParityReport.Example(
        comparison: comparison, cause: cause, feature: key(feature), service: vector.service,
        entity: EntityText.text(read.key), readMilliseconds: read.readMilliseconds, position: read.prefix.text,
        served: feature.text, recomputed: value.map(\.text) ?? "none", explanation: explanation,
        isExplained: isExplained))
  }

  /// The view of a read is not in the plan.
  static func noteMissing(_ read: ServedVector.Read, _ vector: ServedVector, _ report: inout ParityReport) {
    for feature in read.features {
      report.note(
        ParityReport.Example(
          comparison: .served, cause: .version, feature: .init(view: read.view, name: feature.name),
          service: vector.service, entity: EntityText.text(read.key), readMilliseconds: read.readMilliseconds,
          position: read.prefix.text, served: feature.text, recomputed: "none",
          explanation: "the plan has no such view", isExplained: true))
    }
  }
}

extension ServedVector.Feature {
  /// Bit for bit, status and all.
  func isSame(as other: FeatureValue) -> Bool { status == other.status && value == ServedValue(other.value) }

  var text: String { status == .present ? value.text : "\(value.text) \(status.rawValue)" }
}

extension FeatureValue {
  fileprivate var text: String {
    let text = ServedValue(value).text
    return status == .present ? text : "\(text) \(status.rawValue)"
  }
}
