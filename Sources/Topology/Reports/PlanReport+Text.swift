internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import Inference

extension PlanReport {
  /// For a terminal; 100 columns where names allow it.
  package var text: String {
    var lines = ["topology \(plan.name)  fingerprint \(plan.fingerprint)"] + Self.tenantLine(plan.tenant) + [""]
    lines += topicLines + taskLines + sourceLines + viewLines + stateLines + historyLines
    lines += servingLines + modelLines
    if let diff { lines += diffLines(diff) }
    lines += noteLines
    return lines.joined(separator: "\n") + "\n"
  }

  /// Who pays.
  private static func tenantLine(_ tenant: String?) -> [String] { tenant.map { ["  tenant  \($0)"] } ?? [] }

  private var topicLines: [String] {
    let rows = plan.topics.map { topic -> [String] in
      let owner = topic.owners.joined(separator: ", ")
      let use: String =
        switch topic.role {
        case .input: "read as \(owner)"
        case .repartition: "repartition of \(owner): made by Headrace, \(repartitionKey(owner))"
        case .deadLetter: "records that broke their contract"
        case .late: "records behind every window"
        case .output: "predictions of \(owner)"
        case .request: "requests to \(owner): made by Headrace when missing"
        case .response: "answers of \(owner)"
        }
      let partitions = partitionCounts[topic.name].map { "\($0) partitions" } ?? ""
      return [topic.name, topic.role.rawValue, partitions, use]
    }
    return ["topics"] + Self.table(rows) + [""]
  }

  private func repartitionKey(_ viewName: String) -> String {
    guard let view = plan.view(named: viewName) else { return "" }
    return "by \(plan.entities[plan.views[view].entity].keys.joined(separator: ", "))"
  }

  private var taskLines: [String] {
    let what = "one per partition number of \(plan.sources.map(\.topic).joined(separator: ", "))"
    return ["tasks", "  \(taskCount.map { "\($0), " } ?? "")\(what)", ""]
  }

  private var sourceLines: [String] {
    var lines: [String] = []
    for source in plan.sources {
      lines.append("source \(source.name)  \(source.topic), \(source.format.rawValue)")
      let fields = source.columns.map { source.contract.fields[$0].path }
      let omitted = source.contract.fields.count - fields.count
      lines.append(
        "  decodes \(fields.joined(separator: ", "))\(omitted > 0 ? " (\(omitted) other fields are checked only)" : "")"
      )
      for (position, column) in source.derived.enumerated() {
        let type = source.scope[source.columns.count + position].type
        lines.append("  derives \(column.name): \(type) = \(column.text)")
      }
      if let filter = source.filterText { lines.append("  keeps   \(filter)") }
      lines.append("  time    \(times(source))")
      let key = source.key.map { "by \(source.scope[$0].name)" } ?? "not checked"
      lines.append("  key     \(key), partitioner \(source.partitioner?.rawValue ?? "any")")
      lines += Self.tenantLine(source.tenant?.text(source))
      lines.append("")
    }
    return lines
  }

  private func times(_ source: SourcePlan) -> String {
    var parts = [
      source.scope[source.eventTime.column].name, "lateness \(DurationLiteral.text(source.latenessMilliseconds))",
      "max skew \(DurationLiteral.text(source.maxSkewMilliseconds))",
    ]
    if let dedupe = source.dedupe {
      parts.append(
        "first of each \(source.scope[dedupe.column].name) within \(DurationLiteral.text(dedupe.withinMilliseconds))")
    }
    return parts.joined(separator: ", ")
  }

  private var viewLines: [String] {
    plan.views.flatMap { view -> [String] in
      let entity = plan.entities[view.entity]
      var lines = [
        "view \(view.name)  of \(plan.sources[view.source].name) per \(entity.keys.joined(separator: ", "))"
          + "  fingerprint \(view.fingerprint)"
      ]
      lines += Self.tenantLine(view.tenant)
      if let topic = view.repartitionTopic { lines.append("  repartitioned through \(topic)") }
      if let filter = view.filterText { lines.append("  keeps \(filter)") }
      lines += Self.table(view.features.map { [$0.name, $0.type.text, $0.definition] })
      lines += view.layout.description.split(separator: "\n").map { "  \($0)" }
      let (least, most) = (view.layout.leastStateBytesPerKey, view.layout.stateBytesPerKey)
      lines += historyLines(view)
      lines.append("  a row takes \(least) B after one event, about \(most) B with events all the time")
      return lines + [""]
    }
  }

  private func historyLines(_ view: ViewPlan) -> [String] {
    guard let cost = view.historyCost else { return [] }
    return ["  history \(view.history.rawValue) → \(view.historyTable): \(cost)"]
  }

  private var servingLines: [String] {
    var lines: [String] = []
    if !plan.onDemand.isEmpty {
      lines.append("on demand")
      lines += Self.table(plan.onDemand.map { [$0.name, "\($0.expression.type)", $0.text] }) + [""]
    }
    for service in plan.services {
      lines.append("service \(service.name)  fingerprint \(service.fingerprint)")
      let request = service.requestFields.map { "request:\(plan.requestFields[$0].name)" }
      lines += Self.tenantLine(service.tenant)
      lines.append("  needs \((service.joinKeys + request).joined(separator: ", "))")
      let rows = service.features.enumerated().map { index, feature in
        [
          "\(index)", feature.name, feature.type.text, feature.reference,
          feature.defaultValue == .null ? "" : "default \(Self.text(feature.defaultValue))",
        ]
      }
      lines += Self.table(rows) + [""]
    }
    return lines
  }

  private var modelLines: [String] {
    plan.models.flatMap(lines)
      + (plan.monitorDescriptions.isEmpty ? [] : plan.monitorDescriptions + [""])
      + (plan.policyDescriptions.isEmpty ? [] : plan.policyDescriptions + [""])
      + (plan.idleDescriptions.isEmpty
        ? [] : ["declared, not run yet"] + plan.idleDescriptions.map { "  \($0)" } + [""])
  }

  private func lines(_ model: ModelPlan) -> [String] {
    guard let stream = model.stream else { return [] }
    var lines = [
      "model \(model.name)  of \(plan.services[model.service].name) for each \(plan.sources[model.source].name)"
        + (stream.file.map { "  version \($0.contentHash.prefix(16))" } ?? ""),
      stream.file.map { "  reads   \($0.path): \($0.summary)" }
        ?? stream.remote.map { "  calls   \($0.text)" }
        ?? "  uses    \(model.use?.description ?? "") of the registry",
      "  writes  \(model.outputTopic), \(stream.format.rawValue), features: \(stream.features.rawValue)",
    ]
    lines += Self.tenantLine(model.tenant)
    if !model.tables.isEmpty { lines.append("  archive \(model.tables.joined(separator: ", "))") }
    if let threshold = stream.threshold { lines.append("  decides a score from \(threshold) on is a yes") }
    if let shadow = model.shadow { lines.append("  shadow  \(shadow), to \(stream.shadowTopic)") }
    if let timeout = stream.timeoutMilliseconds {
      lines.append("  at most \(DurationLiteral.text(timeout)) for a batch")
    }
    if let rows = stream.batchRowsMax { lines.append("  batches of at most \(rows) rows") }
    if stream.weights != .float32 { lines.append("  weights \(stream.weights.rawValue), of dense layers") }
    if let requests = model.requests {
      let others = requests.replyTopics.isEmpty ? "" : ", or \(requests.replyTopics.joined(separator: ", "))"
      lines.append("  answers \(requests.topic) in \(requests.responseTopic)\(others)")
    }
    if !stream.fallbacks.isEmpty {
      lines.append("  else    \(stream.fallbacks.map(\.description).joined(separator: ", then "))")
    }
    if !model.remoteViews.isEmpty {
      let names = model.remoteViews.map { plan.views[$0].name }
      lines.append("  asks    other tasks of this process for \(names.joined(separator: ", "))")
    }
    return lines + [""]
  }

  private func diffLines(_ diff: PlanDiff) -> [String] {
    guard !diff.isEmpty else { return ["changes", "  none: this plan runs already", ""] }
    var lines = ["changes"]
    for change in diff.changes {
      let mark =
        switch change.kind {
        case .added: "+"
        case .changed: "~"
        case .removed: "-"
        }
      lines.append("  \(mark) \(change.subject)  \(change.verdict.rawValue.uppercased()): \(change.reason)")
      if let remedy = change.remedy { lines.append("      \(remedy)") }
    }
    if diff.isRefused { lines.append("  refused: nothing is applied while one change is") }
    return lines + [""]
  }

  private var noteLines: [String] {
    let warnings = plan.warnings.map {
      "\($0.file):\($0.line):\($0.column): \($0.message)" + ($0.remedy.map { " (\($0))" } ?? "")
    }
    let all = warnings + plan.check(partitionCounts: partitionCounts).map(\.description) + notes
    return all.isEmpty ? [] : ["notes"] + all.map { "  \($0)" }
  }

  static func text(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    default: "\(value)"
    }
  }

  /// Columns of equal width, two spaces in front and between.
  static func table(_ rows: [[String]]) -> [String] {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      rows.map { $0.count > column ? $0[column].unicodeScalars.count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = " "
      for (column, text) in row.enumerated() where widths[column] > 0 {
        line += " " + text
        line += String(repeating: " ", count: widths[column] - text.unicodeScalars.count + 1)
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
  }
}
