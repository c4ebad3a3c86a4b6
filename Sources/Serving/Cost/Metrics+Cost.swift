internal import Cost
internal import NIOCore
internal import Telemetry

extension Metrics {
  func writeCost(_ cost: CostReading, _ text: inout MetricsText) {
    text.family("process_cpu_seconds", .counter, "CPU time of this process.") {
      $0.add(Double(cost.usage.processCPUNanoseconds) / 1e9)
    }
    text.family("headrace_operator_cpu_seconds", .counter, "CPU time by what it was spent on; all of it is there.") {
      samples in
      for line in cost.usage.lines {
        samples.add(
          Double(line.amounts[.cpuNanoseconds]) / 1e9, ("operator", line.operation.rawValue),
          ("kind", line.subject.kind.rawValue), ("subject", line.subject.name))
      }
    }
    text.family("headrace_held_bytes", .gauge, "Bytes that are held, by medium and what they are for.") { samples in
      for holding in cost.usage.holdings {
        samples.add(
          holding.bytes, ("medium", holding.medium.rawValue), ("part", holding.part),
          ("kind", holding.subject.kind.rawValue), ("subject", holding.subject.name))
      }
    }
    text.family("headrace_cpu_idle_ratio", .gauge, "Of the cores' time since the start, what was not used.") {
      $0.add(cost.usage.idleShare)
    }
    text.family("headrace_batch_duration_seconds", .histogram, "From a batch's records to its outputs.") {
      $0.add(cost.durations)
    }
    if let spans = cost.spans {
      text.family("headrace_trace_spans", .counter, "Spans by what became of them.") {
        $0.add(spans.exported, ("outcome", "exported"))
        $0.add(spans.dropped, ("outcome", "dropped"))
        $0.add(spans.failed, ("outcome", "failed"))
      }
    }
    writeTenants(cost, &text)
    let skipped = cost.usage.lines.filter { $0.operation == .skipped }
    if !skipped.isEmpty {
      text.family(
        "headrace_model_events_skipped", .counter, "Events that a model left out while a budget had it score a sample."
      ) { samples in
        for line in skipped { samples.add(line.amounts[.items], ("model", line.subject.name)) }
      }
    }
    guard let priced = cost.priced else { return }
    text.family("headrace_cost_currency", .counter, "What the process cost since its start, by the price book.") {
      samples in
      var sums: [CostKey: Double] = [:]
      // What several tenants share has one series, whatever their number.
      let shared = Set(cost.usage.tenants.owners.filter { if case .shared = $0.value { true } else { false } }.keys)
      for line in priced.lines {
        let key = CostKey(
          operation: line.operation, kind: line.subject.kind.rawValue, subject: line.subject.name,
          tenant: shared.contains(line.subject) ? "*" : line.tenant, item: line.item)
        sums[key, default: 0] += line.cost
      }
      for (key, cost) in sums.sorted(by: { "\($0.key)" < "\($1.key)" }) {
        samples.add(
          cost, ("currency", priced.currency), ("operator", key.operation), ("kind", key.kind),
          ("subject", key.subject), ("tenant", key.tenant), ("item", key.item))
      }
    }
  }

  /// At most a thousand tenants of each subject have series of their own (`TenantMeter`).
  private func writeTenants(_ cost: CostReading, _ text: inout MetricsText) {
    if !cost.usage.tenants.items.isEmpty {
      text.family("headrace_tenant_items", .counter, "Events of sources and predictions of models, by their tenant.") {
        samples in
        for (subject, counts) in cost.usage.tenants.items.sorted(by: { $0.key < $1.key }) {
          for (tenant, count) in counts.sorted(by: { $0.key < $1.key }) {
            samples.add(
              count, ("kind", subject.kind.rawValue), ("subject", subject.name), ("tenant", tenant))
          }
        }
      }
    }
    guard let priced = cost.priced else { return }
    // A part of what was used so far: it may become smaller while others have more events.
    text.family("headrace_tenant_cost_currency", .gauge, "What a tenant cost since the process started.") { samples in
      for tenant in priced.tenants {
        samples.add(tenant.loaded, ("currency", priced.currency), ("tenant", tenant.tenant))
      }
    }
  }

  private struct CostKey: Hashable {
    var operation: String
    var kind: String
    var subject: String
    var tenant: String
    var item: String
  }
}
