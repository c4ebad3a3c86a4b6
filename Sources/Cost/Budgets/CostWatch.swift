internal import Core

/// What somebody should know of what is being spent.
package struct CostEvent: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case budgetExceeded = "budget_exceeded"
    /// At the present rate it will be, before its span is over.
    case budgetForecast = "budget_forecast"
    case anomaly
  }

  package var kind: Kind
  package var name: String
  package var scope: String
  package var action: Budget.Action
  /// Which version of the registry is to answer, of `smaller_model`.
  package var version: Int?
  /// How many of 1,000 keys are scored, of `sample`.
  package var samplePerMille: Int?
  package var spent: Double
  /// The budget, or what was usual.
  package var expected: Double
  package var currency: String
  package var timeMilliseconds: Int64
}

/// Holds what is spent against budgets, and against what is usual: a value, fed with the cost of each interval.
package struct CostWatch: Sendable {
  private struct Ledger: Sendable {
    var beginMilliseconds: Int64
    var spent = 0.0
    var told: Set<String> = []
  }

  private struct Usual: Sendable {
    var mean = 0.0
    var variance = 0.0
    var count = 0
    var isRaised = false
  }

  private let budgets: [Budget]
  private var ledgers: [String: Ledger] = [:]
  private var usual: [String: Usual] = [:]

  /// Intervals before an anomaly can be told, and how much of a new one the mean takes.
  private static let warmUp = 12
  private static let weight = 0.1
  /// An interval stands out when it lies this many standard deviations above the mean and is half as dear again.
  private static let deviations = 5.0
  private static let factor = 1.5
  /// A forecast says nothing before this part of the span.
  private static let forecastFrom = 0.1

  package init(_ budgets: [Budget]) { self.budgets = budgets }

  /// - Parameter report: of one interval, behind those that were taken before.
  package mutating func take(_ report: CostReport) -> [CostEvent] {
    var events: [CostEvent] = []
    for budget in budgets { check(budget, report, &events) }
    let rate = report.total / Double(max(report.usage.milliseconds, 1))
    check("total", rate, report, &events)
    var direct: [Subject: Double] = [:]
    for share in report.shares { direct[share.subject, default: 0] += share.direct }
    for (subject, cost) in direct.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      check(subject.text, cost / Double(max(report.usage.milliseconds, 1)), report, &events)
    }
    return events
  }

  private mutating func check(_ budget: Budget, _ report: CostReport, _ events: inout [CostEvent]) {
    let now = report.usage.toMilliseconds
    var ledger = ledgers[budget.name] ?? Ledger(beginMilliseconds: report.usage.fromMilliseconds)
    if now &- ledger.beginMilliseconds > budget.perMilliseconds {
      ledger = Ledger(beginMilliseconds: report.usage.fromMilliseconds)
    }
    ledger.spent += budget.spent(report)
    let passed = Double(now &- ledger.beginMilliseconds) / Double(budget.perMilliseconds)
    let forecast = passed > 0 ? ledger.spent / passed : 0
    var kind: CostEvent.Kind?
    if ledger.spent > budget.amount {
      kind = .budgetExceeded
    } else if passed >= Self.forecastFrom, forecast > budget.amount {
      kind = .budgetForecast
    }
    if let kind, ledger.told.insert(kind.rawValue).inserted {
      events.append(
        CostEvent(
          kind: kind, name: budget.name, scope: budget.scope, action: budget.action, version: budget.version,
          samplePerMille: budget.samplePerMille,
          spent: kind == .budgetForecast ? forecast : ledger.spent, expected: budget.amount, currency: report.currency,
          timeMilliseconds: now))
    }
    ledgers[budget.name] = ledger
  }

  /// A model whose budget is spent, and until when.
  package struct Sampling: Sendable, Equatable {
    package var budget: String
    package var model: String
    package var perMille: Int
    /// The end of the budget's span.
    package var untilMilliseconds: Int64
  }

  /// The models that are to be sampled at a time: of every budget of that kind without room in its span.
  package func samplings(atMilliseconds now: Int64) -> [Sampling] {
    budgets.compactMap { budget in
      guard budget.action == .sample, let perMille = budget.samplePerMille, let ledger = ledgers[budget.name],
        ledger.spent > budget.amount
      else { return nil }
      let until = ledger.beginMilliseconds &+ budget.perMilliseconds
      guard now < until else { return nil }
      return Sampling(
        budget: budget.name, model: String(budget.scope.dropFirst("model:".count)), perMille: perMille,
        untilMilliseconds: until)
    }
  }

  private mutating func check(_ scope: String, _ rate: Double, _ report: CostReport, _ events: inout [CostEvent]) {
    var known = usual[scope] ?? Usual()
    let deviation = known.variance.squareRoot()
    let isOutlier =
      known.count >= Self.warmUp && rate > known.mean + Self.deviations * deviation && rate > known.mean * Self.factor
    if isOutlier, !known.isRaised {
      let milliseconds = Double(max(report.usage.milliseconds, 1))
      events.append(
        CostEvent(
          kind: .anomaly, name: scope, scope: scope, action: .alarm, spent: rate * milliseconds,
          expected: known.mean * milliseconds, currency: report.currency,
          timeMilliseconds: report.usage.toMilliseconds))
    }
    known.isRaised = isOutlier
    let difference = rate - known.mean
    let weight = known.count < Self.warmUp ? 1 / Double(known.count + 1) : Self.weight
    known.mean += weight * difference
    known.variance = (1 - weight) * (known.variance + weight * difference * difference)
    known.count += 1
    usual[scope] = known
  }
}

extension CostEvent {
  /// A CloudEvent in structured JSON (CloudEvents 1.0, HTTP and Kafka bindings).
  package func cloudEvent(source: String, id: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("specversion", "1.0")
      writer.member("id", id)
      writer.member("source", source)
      writer.member("type", "headrace.cost.\(kind.rawValue)")
      writer.member("subject", scope)
      writer.member("time", RFC3339.text(milliseconds: timeMilliseconds))
      writer.member("datacontenttype", "application/json")
      writer.key("data")
      writer.object { writer in
        writer.member("name", name)
        writer.member("scope", scope)
        writer.member("action", action.rawValue)
        if let version { writer.member("version", version) }
        if let samplePerMille {
          writer.key("sample")
          writer.double(Double(samplePerMille) / 1_000)
        }
        writer.key("spent")
        writer.double(spent)
        writer.key("expected")
        writer.double(expected)
        writer.member("currency", currency)
      }
    }
    return writer.bytes
  }
}
