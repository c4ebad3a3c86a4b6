internal import Cost
internal import Synchronization

/// What a prediction of each model costs, as far as this process has measured it: what its scoring took up to now at
/// today's prices, divided by its predictions. An estimate at that time: what a share of the process costs that belongs
/// to no model is not in it.
///
/// Written about once a second by the thread that keeps the account, read once a batch.
final class PredictionCosts: Sendable {
  let currency: String
  private let prices: PriceBook
  private let costs = Mutex<[String: Double]>([:])

  init(_ prices: PriceBook) {
    self.prices = prices
    currency = prices.currency
  }

  /// nil: nothing was measured yet, or nothing of what was measured has a price.
  func ofPrediction(model: String) -> Double? { costs.withLock { $0[model] } }

  /// Takes what the meters say.
  func update(_ usage: UsageReport) {
    var found: [String: Double] = [:]
    let report = CostReport(usage.ofModels, prices: prices)
    let subjects = Set(usage.lines.lazy.map(\.subject).filter { $0.kind == .model })
    for subject in subjects {
      let count = usage.predictions(of: subject)
      let cost = report.cost { $0.subject == subject }
      if count > 0, cost > 0 { found[subject.name] = cost / Double(count) }
    }
    costs.withLock { $0 = found }
  }
}

extension UsageReport {
  /// What scoring took, and nothing else.
  fileprivate var ofModels: UsageReport {
    var usage = self
    usage.lines = lines.filter { $0.operation == .models || $0.operation == .remoteModels }
    usage.holdings = []
    usage.tenants = TenantUse()
    return usage
  }

  fileprivate func predictions(of subject: Subject) -> Int64 {
    lines.reduce(0) { $0 + ($1.subject == subject && $1.operation == .models ? $1.amounts[.items] : 0) }
  }
}
