internal import Columns
package import Core
package import Cost
internal import Delta
package import Storage

/// The table `usage`: what processes used, a row for each line and each holding of a span of time. Any number of
/// workers append to it; spans of one process follow each other.
package enum UsageTable {
  package static let name = "usage"

  private static let columns: [(name: String, type: ColumnType)] =
    [
      ("from", .timestamp), ("to", .timestamp), ("topology", .string), ("process", .string), ("cores", .double),
      ("process_cpu_ns", .integer),
      // `process` (one for each span), `line`, `holding`, `owner` (whose a subject is: `tenant`, or `shared_by` the
      // events of another one) or `tenant` (how many `items` of a subject were a tenant's).
      ("row", .string), ("operator", .string), ("kind", .string), ("subject", .string), ("remote_model", .string),
      ("medium", .string), ("bytes", .integer), ("byte_ms", .double),
    ] + Resource.allCases.map { ($0.name, .integer) }
    + [("tenant", .string), ("shared_by", .string)]

  private static let attempts = 5
  private static let upkeepInterval: Int64 = 60

  /// Adds the rows of a span.
  ///
  /// - Throws: TABLE_CONTENDED when others were quicker each time, and what the store throws.
  package static func append(
    _ usage: UsageReport, to store: any BlobStore, nowMilliseconds now: Int64
  ) throws(HeadraceError) {
    let fields = columns.map { DeltaField($0.name, DeltaType($0.type)) }
    let schema = try DeltaSchema(fields)
    for _ in 0..<attempts {
      var table = try DeltaTable.openOrCreate(
        store, try BlobName(name), schema: schema, name: name, nowMilliseconds: now)
      // A table of a former version gets the columns that it lacks.
      if let wider = try table.snapshot.metadata.schema.adding(fields, table.place) {
        var metadata = table.snapshot.metadata
        metadata.schema = wider
        _ = try table.commit(.evolution(metadata), nowMilliseconds: now)
        try table.refresh()
      }
      let writer = try TableWriter(table)
      do throws(HeadraceError) {
        try writer.append(batch(usage), nowMilliseconds: now)
      } catch {
        writer.abandon()
        throw error
      }
      let files = try writer.finish(nowMilliseconds: now)
      guard case .committed = try table.commit(.append(files), nowMilliseconds: now) else { continue }
      guard table.snapshot.version > 0, table.snapshot.version % upkeepInterval == 0 else { return }
      _ = try table.compact(nowMilliseconds: now)
      return try table.checkpoint(nowMilliseconds: now)
    }
    throw HeadraceError(
      .external, "TABLE_CONTENDED", "other writers changed the table \(attempts) times", retry: .sameCall, place: name)
  }

  private static func batch(_ usage: UsageReport) -> ColumnBatch {
    var batch = ColumnBatch(columns.map(\.type))
    append(usage, row: "process", [:], Amounts(), to: &batch)
    for line in usage.lines {
      append(
        usage, row: "line",
        [
          "operator": .string(line.operation.rawValue), "kind": .string(line.subject.kind.rawValue),
          "subject": .string(line.subject.name), "remote_model": line.model.map { .string($0) } ?? .null,
        ], line.amounts, to: &batch)
    }
    for holding in usage.holdings {
      append(
        usage, row: "holding",
        [
          "operator": .string(holding.part), "kind": .string(holding.subject.kind.rawValue),
          "subject": .string(holding.subject.name), "medium": .string(holding.medium.rawValue),
          "bytes": .integer(holding.bytes), "byte_ms": .double(holding.byteMilliseconds),
        ], Amounts(), to: &batch)
    }
    appendTenants(usage, to: &batch)
    return batch
  }

  private static func appendTenants(_ usage: UsageReport, to batch: inout ColumnBatch) {
    for (subject, owner) in usage.tenants.owners.sorted(by: { $0.key < $1.key }) {
      var values: [String: Value] = ["kind": .string(subject.kind.rawValue), "subject": .string(subject.name)]
      switch owner {
      case .tenant(let name): values["tenant"] = .string(name)
      case .shared(let basis): values["shared_by"] = .string(basis.text)
      }
      append(usage, row: "owner", values, Amounts(), to: &batch)
    }
    for (subject, counts) in usage.tenants.items.sorted(by: { $0.key < $1.key }) {
      for (tenant, count) in counts.sorted(by: { $0.key < $1.key }) {
        var amounts = Amounts()
        amounts[.items] = count
        append(
          usage, row: "tenant",
          [
            "kind": .string(subject.kind.rawValue), "subject": .string(subject.name), "tenant": .string(tenant),
          ], amounts, to: &batch)
      }
    }
  }

  private static func append(
    _ usage: UsageReport, row: String, _ values: [String: Value], _ amounts: Amounts, to batch: inout ColumnBatch
  ) {
    var all = values
    all["from"] = .timestamp(usage.fromMilliseconds &* 1_000)
    all["to"] = .timestamp(usage.toMilliseconds &* 1_000)
    all["topology"] = .string(usage.topology)
    all["process"] = .string(usage.process)
    all["cores"] = .double(usage.cores)
    all["process_cpu_ns"] = .integer(usage.processCPUNanoseconds)
    all["row"] = .string(row)
    for resource in Resource.allCases { all[resource.name] = .integer(amounts[resource]) }
    for (index, column) in columns.enumerated() {
      if !batch.columns[index].append(all[column.name] ?? .null) { batch.columns[index].appendNull() }
    }
    batch.rowCount += 1
  }
}

extension UsageTable {
  /// What was used since a time, span by span; by process and time.
  ///
  /// - Returns: nothing when there is no such table.
  package static func read(
    _ store: any BlobStore, sinceMilliseconds since: Int64?
  ) throws(HeadraceError) -> [UsageReport] {
    guard let table = try DeltaTable.open(store, try BlobName(name)) else { return [] }
    var conditions: [ColumnCondition] = []
    if let since { conditions.append(ColumnCondition("to", .greater, .timestamp(since &* 1_000))) }
    // One that a former version wrote last has no tenants.
    let columns = columns.filter { table.snapshot.metadata.schema.field($0.name) != nil }
    let scan = try TableScan(table, columns: columns.map(\.name), where: conditions)
    guard scan.types == columns.map(\.type), columns.count >= self.columns.count - 2 else {
      throw HeadraceError(
        .user, "USAGE_TABLE_INVALID", "its columns are not those of a table of usage", place: table.place,
        remedy: "move it away: the workers make another one")
    }
    var reports: [String: UsageReport] = [:]
    var batch = ColumnBatch(columns.map(\.type))
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let reader = UsageRow(batch, row, columns.map(\.name))
        guard reader.integer("to") / 1_000 > since ?? .min else { continue }
        let key = "\(reader.text("process"))\u{0}\(reader.integer("from"))"
        var report = reports[key] ?? reader.report
        reader.add(to: &report)
        reports[key] = report
      }
    }
    return reports.values.sorted { ($0.process, $0.fromMilliseconds) < ($1.process, $1.fromMilliseconds) }
  }

  /// One row by the names of its columns.
  private struct UsageRow {
    private let values: [String: Value]

    init(_ batch: borrowing ColumnBatch, _ row: Int, _ names: [String]) {
      var values: [String: Value] = [:]
      for (index, name) in names.enumerated() { values[name] = batch.columns[index].value(row) }
      self.values = values
    }

    func integer(_ name: String) -> Int64 {
      switch values[name] {
      case .integer(let number), .timestamp(let number): number
      default: 0
      }
    }

    func text(_ name: String) -> String { if case .string(let text) = values[name] { text } else { "" } }
    private func double(_ name: String) -> Double { if case .double(let number) = values[name] { number } else { 0 } }

    var report: UsageReport {
      UsageReport(
        topology: text("topology"), process: text("process"), fromMilliseconds: integer("from") / 1_000,
        toMilliseconds: integer("to") / 1_000, cores: double("cores"),
        processCPUNanoseconds: integer("process_cpu_ns"))
    }

    func add(to report: inout UsageReport) {
      guard let kind = Subject.Kind(rawValue: text("kind")) else { return }
      let subject = Subject(kind, text("subject"))
      if text("row") == "owner" {
        if let basis = Subject(text: text("shared_by")) {
          report.tenants.owners[subject] = .shared(by: basis)
        } else {
          report.tenants.owners[subject] = .tenant(text("tenant"))
        }
        return
      }
      if text("row") == "tenant" {
        report.tenants.items[subject, default: [:]][text("tenant"), default: 0] += integer(Resource.items.name)
        return
      }
      if text("row") == "holding", let medium = UsageReport.Holding.Medium(rawValue: text("medium")) {
        report.holdings.append(
          .init(
            medium, text("operator"), subject, bytes: integer("bytes"), byteMilliseconds: double("byte_ms")))
      } else if let operation = Operator(rawValue: text("operator")) {
        var amounts = Amounts()
        for resource in Resource.allCases { amounts[resource] = integer(resource.name) }
        let model = text("remote_model")
        report.lines.append(.init(operation, subject, model: model.isEmpty ? nil : model, amounts))
      }
    }
  }
}
