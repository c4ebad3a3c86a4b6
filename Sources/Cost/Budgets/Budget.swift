internal import Core

/// How much may be spent on something in a span of time, and what is to be done beyond it.
package struct Budget: Sendable, Equatable {
  package enum Action: String, CaseIterable, Sendable {
    case alarm
    /// The model scores a sample of the keys only: `sample`.
    case sample
    /// The alias that the model uses stands for a cheaper version: `version`.
    case smallerModel = "smaller_model"
  }

  package var name: String
  /// `total`, `tenant:NAME`, or a subject: `view:NAME`, `model:NAME`.
  package var scope: String
  package var amount: Double
  package var perMilliseconds: Int64
  package var action: Action
  /// Of the registry, for `smaller_model`.
  package var version: Int?
  /// How many of 1,000 keys the model still scores, for `sample`.
  package var samplePerMille: Int?

  package init(
    name: String, scope: String, amount: Double, perMilliseconds: Int64, action: Action, version: Int? = nil,
    samplePerMille: Int? = nil
  ) {
    self.name = name
    self.scope = scope
    self.amount = amount
    self.perMilliseconds = perMilliseconds
    self.action = action
    self.version = version
    self.samplePerMille = samplePerMille
  }

  /// - Returns: nil when anything is missing, or is of the wrong kind.
  init?(_ document: JSONDocument) {
    guard let name = document["name"]?.string, let scope = document["scope"]?.string,
      let amount = document["amount"]?.double, amount > 0,
      let per = document["per"]?.string, let milliseconds = Self.span(per),
      let action = Action(rawValue: document["action"]?.string ?? "alarm")
    else { return nil }
    let version = document["version"]?.integer.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
    guard action != .smallerModel || version != nil && scope.hasPrefix("model:") else { return nil }
    let sample = document["sample"]?.double.map { ($0 * 1_000).rounded() }
    let samplePerMille = sample.flatMap { (1...999).contains($0) ? Int($0) : nil }
    guard (action == .sample) == (document["sample"] != nil) else { return nil }
    guard action != .sample || samplePerMille != nil && scope.hasPrefix("model:") else { return nil }
    self.init(
      name: name, scope: scope, amount: amount, perMilliseconds: milliseconds, action: action, version: version,
      samplePerMille: samplePerMille)
  }

  private static func span(_ text: String) -> Int64? {
    switch text {
    case "hour": 3_600_000
    case "day": 86_400_000
    case "month": 730 * 3_600_000
    default: Quantity.milliseconds(text).flatMap { $0 > 0 ? $0 : nil }
    }
  }

  /// What of a report counts against the budget; loaded, so that all budgets of subjects add up to the total.
  package func spent(_ report: CostReport) -> Double {
    if scope == "total" { return report.total }
    let shares = report.shares
    if scope.hasPrefix("tenant:") {
      let tenant = scope.dropFirst("tenant:".count)
      return shares.reduce(0) { $0 + ($1.tenant == tenant ? $1.loaded : 0) }
    }
    return shares.reduce(0) { $0 + ($1.subject.text == scope ? $1.loaded : 0) }
  }
}
