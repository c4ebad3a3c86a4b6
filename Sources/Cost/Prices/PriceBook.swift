package import Core

/// What resources cost, from which day on, by whose list.
///
/// A dated file, so that an account of last month is made by last month's prices. All prices are in one currency.
package struct PriceBook: Sendable, Equatable {
  /// What has a price.
  package enum Item: String, CaseIterable, Sendable {
    case cpuCoreHour = "cpu_core_hour"
    case memoryGiBHour = "memory_gib_hour"
    case diskGiBMonth = "disk_gib_month"
    case objectGiBMonth = "object_gib_month"
    case networkInGiB = "network_in_gib"
    case networkOutGiB = "network_out_gib"
    case gpuHour = "gpu_hour"

    /// As FOCUS writes units.
    package var unit: String {
      switch self {
      case .cpuCoreHour: "vCPU-Hours"
      case .memoryGiBHour: "GiB-Hours"
      case .diskGiBMonth, .objectGiBMonth: "GiB-Months"
      case .networkInGiB, .networkOutGiB: "GiB"
      case .gpuHour: "GPU-Hours"
      }
    }
  }

  package struct Price: Sendable, Equatable {
    package var amount: Double
    /// Whose list it is from.
    package var source: String

    package init(_ amount: Double, source: String) {
      self.amount = amount
      self.source = source
    }
  }

  /// The prices from a day on.
  package struct Period: Sendable, Equatable {
    package var fromMilliseconds: Int64
    package var prices: [Item: Price]

    package init(fromMilliseconds: Int64, prices: [Item: Price]) {
      self.fromMilliseconds = fromMilliseconds
      self.prices = prices
    }
  }

  /// Whose subjects they are: patterns such as `view:payments_*` or `model:fraud`.
  package struct Tenant: Sendable, Equatable {
    package var name: String
    package var patterns: [String]
  }

  package var name: String
  package var currency: String
  package var provider: String
  package var region: String
  /// By their first day.
  package var periods: [Period]
  package var tenants: [Tenant] = []
  package var budgets: [Budget] = []
  package var tokens = TokenPrices()

  package init(name: String, currency: String, provider: String, region: String, periods: [Period]) {
    self.name = name
    self.currency = currency
    self.provider = provider
    self.region = region
    self.periods = periods.sorted { $0.fromMilliseconds < $1.fromMilliseconds }
  }

  /// The price that held at a time; nil when the list has none of it.
  package func price(of item: Item, at milliseconds: Int64) -> Price? {
    let period = periods.last { $0.fromMilliseconds <= milliseconds } ?? periods.first
    return period?.prices[item]
  }

  /// Whose a subject is that the topology gives to nobody; `shared` when nobody's.
  package func tenant(of subject: Subject) -> String {
    let text = subject.text
    return tenants.first { $0.patterns.contains { Self.matches(text, $0) } }?.name ?? "shared"
  }

  /// `*` stands for any characters at the end of a pattern.
  private static func matches(_ text: String, _ pattern: String) -> Bool {
    pattern.hasSuffix("*") ? text.hasPrefix(pattern.dropLast()) : text == pattern
  }
}

extension PriceBook {
  /// Reads a price file that came as JSON, or as YAML turned into it.
  ///
  /// - Throws: `PRICES_INVALID`, with the path of what is wrong.
  package init(json: [UInt8], place: String) throws(HeadraceError) {
    guard let document = try? JSONDocument(json, depthMax: 16) else {
      throw HeadraceError(.user, "PRICES_INVALID", "it is no JSON document", place: place)
    }
    try self.init(document, place: place)
  }

  init(_ document: JSONDocument, place: String) throws(HeadraceError) {
    func invalid(_ what: String) -> HeadraceError {
      HeadraceError(
        .user, "PRICES_INVALID", what, place: place, remedy: "see deploy/prices.yaml for what a price file has")
    }
    guard let listed = document["periods"]?.list, !listed.isEmpty else { throw invalid("it has no `periods`") }
    var periods: [Period] = []
    for (index, period) in listed.enumerated() {
      guard let from = period["from"]?.string.flatMap({ RFC3339.milliseconds($0) }) else {
        throw invalid("periods[\(index)].from: expected a date such as 2025-01-01")
      }
      var prices: [Item: Price] = [:]
      for member in period.members ?? [] where member.name != "from" {
        guard let item = Item(rawValue: member.name) else {
          let near = NearestName.of(member.name, in: Item.allCases.map(\.rawValue))
          throw invalid("periods[\(index)].\(member.name) is no price" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
        guard let amount = member.value["price"]?.double ?? member.value.double, amount >= 0, amount.isFinite else {
          throw invalid("periods[\(index)].\(member.name): expected {price: NUMBER, source: TEXT}")
        }
        prices[item] = Price(amount, source: member.value["source"]?.string ?? "")
      }
      periods.append(Period(fromMilliseconds: from, prices: prices))
    }
    self.init(
      name: document["name"]?.string ?? place, currency: document["currency"]?.string ?? "USD",
      provider: document["provider"]?.string ?? "unknown", region: document["region"]?.string ?? "", periods: periods)
    for member in document["tenants"]?.members ?? [] {
      guard let patterns = member.value.list?.compactMap(\.string) else {
        throw invalid("tenants.\(member.name): expected a list such as [view:payments_*, model:fraud]")
      }
      tenants.append(Tenant(name: member.name, patterns: patterns))
    }
    for (index, budget) in (document["budgets"]?.list ?? []).enumerated() {
      guard let budget = Budget(budget) else {
        throw invalid(
          "budgets[\(index)]: expected name, scope, amount, per and action; for smaller_model a scope model:NAME and a "
            + "version of the registry; for sample a scope model:NAME and a `sample` from 0.001 to 0.999")
      }
      if budget.action == .sample,
        let other = budgets.first(where: { $0.action == .sample && $0.scope == budget.scope })
      {
        throw invalid("budgets[\(index)]: \(budget.scope) is sampled by budget \(other.name) already")
      }
      budgets.append(budget)
    }
  }
}
