/// What usage cost, line by line.
package struct CostReport: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    /// `__idle__` of what is paid for and not used.
    package var operation: String
    package var subject: Subject
    package var tenant: String
    /// The price's name in the price book, or `input_tokens`, `output_tokens`.
    package var item: String
    package var quantity: Double
    package var unit: String
    package var unitPrice: Double
    package var provider: String

    package var cost: Double { quantity * unitPrice }
  }

  package let usage: UsageReport
  package let currency: String
  package private(set) var lines: [Line] = []
  /// What has no price in the book, each once.
  package private(set) var unpriced: [String] = []

  package static let idleOperation = "__idle__"
  /// A month as clouds count it.
  package static let hoursPerMonth = 730.0
  private static let gib = Double(1 << 30)

  package init(_ usage: UsageReport, prices: PriceBook) {
    self.usage = usage
    currency = prices.currency
    var owners = Owners(usage.tenants, prices)
    for line in usage.lines { price(line, &owners) }
    for holding in usage.holdings { price(holding, &owners) }
    let hours = Double(usage.milliseconds) / 3.6e6
    let idle = usage.cores * hours - Double(usage.processCPUNanoseconds) / 3.6e12
    add(Self.idleOperation, .process, .cpuCoreHour, max(idle, 0), &owners)
  }

  /// Who pays for a subject, by whose prices.
  private struct Owners {
    let prices: PriceBook
    private let use: TenantUse
    private var known: [Subject: [(tenant: String, part: Double)]] = [:]

    init(_ use: TenantUse, _ prices: PriceBook) {
      self.use = use
      self.prices = prices
    }

    /// The topology comes first: it says who asked for a thing, and only it can share out what several asked for. The
    /// price book fills in what it leaves open.
    mutating func parts(of subject: Subject) -> [(tenant: String, part: Double)] {
      if let parts = known[subject] { return parts }
      let parts = use.parts(of: subject) ?? [(prices.tenant(of: subject), 1)]
      known[subject] = parts
      return parts
    }
  }

  private mutating func price(_ line: UsageReport.Line, _ owners: inout Owners) {
    let prices = owners.prices
    let name = line.operation.rawValue
    add(name, line.subject, .cpuCoreHour, Double(line.amounts[.cpuNanoseconds]) / 3.6e12, &owners)
    add(name, line.subject, .networkInGiB, Double(line.amounts[.networkBytesIn]) / Self.gib, &owners)
    add(name, line.subject, .networkOutGiB, Double(line.amounts[.networkBytesOut]) / Self.gib, &owners)
    add(name, line.subject, .gpuHour, Double(line.amounts[.gpuMicroseconds]) / 3.6e9, &owners)
    let tokens = [line.amounts[.inputTokens], line.amounts[.outputTokens]]
    guard tokens != [0, 0] else { return }
    let model = line.model ?? line.subject.name
    guard let price = prices.tokens.price(of: model) else { return noteUnpriced("tokens of \(model)") }
    for (item, count, amount) in [("input_tokens", tokens[0], price.input), ("output_tokens", tokens[1], price.output)]
    where count > 0 {
      append(
        Line(
          operation: name, subject: line.subject, tenant: "", item: item, quantity: Double(count), unit: "Tokens",
          unitPrice: amount, provider: price.provider), &owners)
    }
  }

  /// A line for each tenant.
  private mutating func append(_ line: Line, _ owners: inout Owners) {
    for (tenant, part) in owners.parts(of: line.subject) {
      var own = line
      own.tenant = tenant
      own.quantity *= part
      lines.append(own)
    }
  }

  private mutating func price(_ holding: UsageReport.Holding, _ owners: inout Owners) {
    let hours = holding.byteMilliseconds / Self.gib / 3.6e6
    switch holding.medium {
    case .memory: add(holding.part, holding.subject, .memoryGiBHour, hours, &owners)
    case .disk: add(holding.part, holding.subject, .diskGiBMonth, hours / Self.hoursPerMonth, &owners)
    case .objects: add(holding.part, holding.subject, .objectGiBMonth, hours / Self.hoursPerMonth, &owners)
    }
  }

  private mutating func add(
    _ operation: String, _ subject: Subject, _ item: PriceBook.Item, _ quantity: Double, _ owners: inout Owners
  ) {
    guard quantity > 0 else { return }
    guard let price = owners.prices.price(of: item, at: usage.fromMilliseconds) else {
      return noteUnpriced(item.rawValue)
    }
    append(
      Line(
        operation: operation, subject: subject, tenant: "", item: item.rawValue, quantity: quantity, unit: item.unit,
        unitPrice: price.amount, provider: owners.prices.provider), &owners)
  }

  private mutating func noteUnpriced(_ what: String) {
    if !unpriced.contains(what) { unpriced.append(what) }
  }
}

// Sums.
extension CostReport {
  package var total: Double { lines.reduce(0) { $0 + $1.cost } }
  package var idle: Double { cost { $0.operation == Self.idleOperation } }

  package func cost(where isWanted: (Line) -> Bool) -> Double {
    lines.reduce(0) { $0 + (isWanted($1) ? $1.cost : 0) }
  }

  /// What belongs to a tenant's part of a subject alone, and what it costs with its share of everything that belongs to
  /// nobody.
  package struct Share: Sendable, Equatable {
    package var subject: Subject
    package var tenant: String
    package var direct: Double
    package var loaded: Double
  }

  private struct ShareKey: Hashable {
    var subject: Subject
    var tenant: String
  }

  /// Subjects and their tenants by what they cost, the dearest first. The loaded figures add up to the total.
  package var shares: [Share] {
    var direct: [ShareKey: Double] = [:]
    for line in lines where line.subject.kind != .process {
      direct[ShareKey(subject: line.subject, tenant: line.tenant), default: 0] += line.cost
    }
    let sum = direct.values.reduce(0, +)
    let factor = sum > 0 ? total / sum : 0
    return direct.map { key, cost in
      Share(subject: key.subject, tenant: key.tenant, direct: cost, loaded: cost * factor)
    }.sorted { ($1.direct, $0.subject, $0.tenant) < ($0.direct, $1.subject, $1.tenant) }
  }

  /// What an event, a served value and a prediction cost: what their own operators cost, and with a share of what
  /// belongs to nobody, by their own costs.
  package struct UnitCost: Sendable, Equatable {
    package var unit: String
    package var count: Int64
    package var perThousand: Double
    package var perThousandLoaded: Double
  }

  package var unitCosts: [UnitCost] {
    let groups: [(unit: String, count: Int64, operators: Set<String>)] = [
      ("events", usage.events, Self.streaming), ("feature reads", usage.featureReads, Self.names([.serving, .parity])),
      ("predictions", usage.predictions, Self.names([.models, .remoteModels, .inference, .monitoring])),
    ]
    let direct = groups.map { group in cost { group.operators.contains($0.operation) } }
    let sum = direct.reduce(0, +)
    return zip(groups, direct).compactMap { group, cost in
      guard group.count > 0 else { return nil }
      let perThousand = cost / Double(group.count) * 1_000
      return UnitCost(
        unit: group.unit, count: group.count, perThousand: perThousand,
        perThousandLoaded: sum > 0 ? perThousand * total / sum : 0)
    }
  }

  private static func names(_ operators: [Operator]) -> Set<String> { Set(operators.map(\.rawValue)) }
  private static let streaming = names([
    .poll, .decode, .checks, .keys, .views, .outputs, .spool, .commit, .checkpoint, .archive, .client, .compaction,
  ])
}
