extension CostReport {
  /// What a tenant had and what it costs.
  package struct TenantCost: Sendable, Equatable {
    package var tenant: String
    package var events: Int64
    package var predictions: Int64
    package var direct: Double
    /// With its share of what belongs to nobody: all of them add up to the total.
    package var loaded: Double
  }

  /// Tenants by what they cost, the dearest first.
  package var tenants: [TenantCost] {
    var found: [String: TenantCost] = [:]
    func change(_ tenant: String, _ body: (inout TenantCost) -> Void) {
      body(&found[tenant, default: TenantCost(tenant: tenant, events: 0, predictions: 0, direct: 0, loaded: 0)])
    }
    let shares = shares
    for share in shares {
      change(share.tenant) {
        $0.direct += share.direct
        $0.loaded += share.loaded
      }
    }
    for line in usage.lines where line.amounts[.items] > 0 {
      let isPredictions = line.operation == .models
      guard isPredictions || line.operation == .decode else { continue }
      for (tenant, count) in items(of: line, shares) {
        change(tenant) { if isPredictions { $0.predictions += count } else { $0.events += count } }
      }
    }
    return found.values.sorted { ($1.loaded, $0.tenant) < ($0.loaded, $1.tenant) }
  }

  private func items(of line: UsageReport.Line, _ shares: [Share]) -> [(tenant: String, count: Int64)] {
    let count = line.amounts[.items]
    switch usage.tenants.owners[line.subject] {
    case .tenant(let name): return [(name, count)]
    case .shared(let basis) where usage.tenants.items[basis] != nil:
      return (usage.tenants.items[basis] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    default: return shares.first { $0.subject == line.subject }.map { [($0.tenant, count)] } ?? []
    }
  }
}
