internal import Columns
internal import Cost
internal import Expressions
internal import Synchronization
internal import Topology

/// Whose the subjects of the plan that runs are, and the meters of those whose events tell.
final class TenantMeters: Sendable {
  private struct State: Sendable {
    var owners: [Subject: TenantUse.Owner] = [:]
    /// With the field that says whose an event is.
    var meters: [Subject: (field: String, meter: TenantMeter)] = [:]
  }

  private let state = Mutex(State())

  /// Another plan is about to run: counts of another field than before begin anew.
  func take(_ plan: Plan) {
    let (owners, fields) = (plan.tenantOwners, plan.tenantFields)
    state.withLock { state in
      state.owners = owners
      state.meters = state.meters.filter { fields[$0.key] == $0.value.field }
      for (subject, field) in fields where state.meters[subject] == nil {
        state.meters[subject] = (field, TenantMeter())
      }
    }
  }

  /// Counts the events, or predictions, of a subject; nil when no field of its events tells tenants.
  func counter(of subject: Subject, isOfIntegers: Bool) -> TenantCounter? {
    let meter = state.withLock { $0.meters[subject]?.meter }
    return meter.map { TenantCounter($0, isOfIntegers: isOfIntegers) }
  }

  var use: TenantUse {
    let (owners, meters) = state.withLock { ($0.owners, $0.meters) }
    var use = TenantUse()
    use.owners = owners
    for (subject, entry) in meters {
      let counts = entry.meter.counts
      if !counts.isEmpty { use.items[subject] = counts }
    }
    return use
  }
}

/// Counts whose the events of one source in one task are, by one of their columns.
final class TenantTally {
  private let column: Int
  private let isOfIntegers: Bool
  private let counter: TenantCounter

  /// - Parameter subject: the source, or one of its models.
  /// - Returns: nil when no field of its events tells tenants, or they belong to somebody as a whole.
  init?(_ source: SourcePlan, _ subject: Subject, _ meters: TenantMeters) {
    guard case .field(let column) = source.tenant else { return nil }
    isOfIntegers = source.scope[column].type == .integer
    guard let counter = meters.counter(of: subject, isOfIntegers: isOfIntegers) else { return nil }
    self.column = column
    self.counter = counter
  }

  /// The first `count` rows of a batch.
  func count(_ batch: borrowing ColumnBatch, first count: Int) {
    for row in 0..<count { self.count(batch.columns[column], row) }
    counter.flush()
  }

  func count(_ batch: borrowing ColumnBatch, rows: [Int]) {
    for row in rows { count(batch.columns[column], row) }
    counter.flush()
  }

  @inline(__always)
  private func count(_ column: borrowing Column, _ row: Int) {
    guard column.isValid[row] else { return counter.countUnknown() }
    if isOfIntegers { return counter.count(number: column.integers[row]) }
    unsafe column.text[row].withUnsafeBytes { unsafe counter.count(name: $0) }
  }
}

extension Plan {
  /// Whose each subject is. A view and a model without a tenant of their own are their source's: who sends the events
  /// asks for what is made of them; a model whose service has one is the service's.
  var tenantOwners: [Subject: TenantUse.Owner] {
    var owners: [Subject: TenantUse.Owner] = [:]
    func owner(_ subject: Subject, own: String?, source: Int) -> TenantUse.Owner? {
      if let own { return .tenant(own) }
      switch sources[source].tenant {
      case .name(let name): return .tenant(name)
      case .field: return .shared(by: subject.kind == .model ? subject : .source(sources[source].name))
      case nil: return tenant.map { .tenant($0) }
      }
    }
    for (index, source) in sources.enumerated() {
      let subject = Subject.source(source.name)
      owners[subject] = owner(subject, own: nil, source: index)
    }
    for view in views {
      let subject = Subject.view(view.name)
      owners[subject] = owner(subject, own: view.tenant, source: view.source)
    }
    for model in models {
      let subject = Subject.model(model.name)
      owners[subject] = owner(subject, own: model.tenant ?? services[model.service].tenant, source: model.source)
    }
    return owners
  }

  /// The field that tells tenants, of every subject whose events or predictions are counted by it.
  var tenantFields: [Subject: String] {
    var fields: [Subject: String] = [:]
    for case .shared(let basis) in tenantOwners.values {
      let source =
        basis.kind == .model
        ? models.first { $0.name == basis.name }.map { sources[$0.source] } : sources.first { $0.name == basis.name }
      if let source, case .field(let column) = source.tenant { fields[basis] = source.scope[column].name }
    }
    return fields
  }
}
