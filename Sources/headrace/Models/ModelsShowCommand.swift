internal import ArgumentParser
internal import Core
internal import Inference
internal import Registry

struct ModelsShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Where a model comes from, and who served when.",
    discussion: """
      NAME shows every version and what its aliases stood for when. NAME@ALIAS and NAME:VERSION show one version: its \
      code, data, features and metrics, the run that made it, who approved it, and when it served. Of the cluster, or \
      with --data of a folder, where --weights also tells what smaller weights would cost the version.
      """)

  @Argument(help: ArgumentHelp("The model: NAME, NAME@ALIAS or NAME:VERSION.", valueName: "model"))
  var selector: ModelSelector
  @OptionGroup var place: RegistryOptions
  @OptionGroup var weights: WeightsOptions
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    guard weights.weights != .float32, place.data == nil || selector.version == nil else { return }
    throw ValidationError("--weights is tried out on one version of a folder: NAME:VERSION and --data DIR")
  }

  func run() async throws {
    let known = try await place.snapshot()
    let model = try known.model(selector.name)
    let version = try selector.version(of: model)
    if weights.weights != .float32, let version, let data = place.data {
      let hash = version.version.contentHash
      let files = try LocalRegistry.existing(dataDirectory: data).files
      try weights.tryOut(Model(files.read(hash), place: files.place(of: hash)), place: model.name)
    }
    switch output {
    case .json:
      var writer = JSONWriter()
      if let version {
        known.registry.write(version, of: model, to: &writer)
      } else {
        known.registry.write(model, to: &writer)
      }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    case .table:
      let text = version.map { VersionText(version: $0, model: model, state: known.registry).text } ?? self.text(model)
      try StandardOutput.writeAll(Array(text.utf8))
    }
  }

  private func text(_ model: RegisteredModel) -> String {
    var versions = Table([
      ("version", .right), ("aliases", .left), ("added", .left), ("by", .left), ("file", .left), ("summary", .left),
      ("note", .left),
    ])
    for entry in model.versions {
      let version = entry.version
      let aliases = model.standingAliases.filter { $0.version == version.number }.map(\.name)
      versions.append([
        "\(version.number)", aliases.joined(separator: ", "), RFC3339.text(milliseconds: version.addedAtMilliseconds),
        version.addedBy, String(version.contentHash.prefix(12)), version.summary, version.note,
      ])
    }
    let changes = model.changes
    guard !changes.isEmpty else { return versions.text }
    var history = Table([("alias", .left), ("version", .right), ("since", .left), ("by", .left), ("reason", .left)])
    for (alias, change) in changes {
      history.append([
        alias, change.version.map { "\($0)" } ?? "none", RFC3339.text(milliseconds: change.entry.timeMilliseconds),
        change.entry.actor, change.entry.reason,
      ])
    }
    return versions.text + "\n" + history.text
  }
}

/// One version for people.
private struct VersionText {
  let version: RegisteredModel.Version
  let model: RegisteredModel
  let state: RegistryState

  var text: String {
    var parts = [facts]
    let metrics = version.version.lineage?.metrics ?? []
    if !metrics.isEmpty {
      var table = Table([("metric", .left), ("value", .right), ("from", .right), ("to", .right)])
      for metric in metrics {
        table.append([
          metric.name, "\(metric.value)", metric.low.map { "\($0)" } ?? "", metric.high.map { "\($0)" } ?? "",
        ])
      }
      parts.append(table.text)
    }
    let approvals = state.approvals(model: model.name, version: version.version.number)
    if !approvals.isEmpty { parts.append(ApprovalTable.text(approvals)) }
    let periods = model.servedPeriods(version: version.version.number)
    if !periods.isEmpty { parts.append(served(periods)) }
    return parts.joined(separator: "\n")
  }

  private var facts: String {
    let version = version.version
    let aliases = model.standingAliases.filter { $0.version == version.number }.map { "@\($0.name)" }
    var lines: [(name: String, text: String)] = [
      (
        "model", "\(model.name) version \(version.number)\(aliases.isEmpty ? "" : " \(aliases.joined(separator: " "))")"
      ),
      ("file", "\(version.format), \(version.summary); sha256 \(version.contentHash)"),
      ("added", "\(RFC3339.text(milliseconds: version.addedAtMilliseconds)) by \(version.addedBy)"),
    ]
    if !version.note.isEmpty { lines.append(("note", version.note)) }
    guard let lineage = version.lineage else {
      lines.append(("lineage", "nobody has said where it comes from"))
      return text(lines)
    }
    let origin = lineage.origin
    if !lineage.fetchedFrom.isEmpty { lines.append(("fetched", lineage.fetchedFrom)) }
    lines.append(("code", origin.codeRevision.isEmpty ? "unknown" : origin.codeRevision))
    let dataset = origin.datasetManifestHash.map { "\(origin.datasetPlace), content \($0)" } ?? origin.datasetPlace
    lines.append(("data", dataset.isEmpty ? "unknown" : dataset))
    for data in origin.dataVersions { lines.append(("", "\(data.table) at version \(data.version)")) }
    lines.append(
      (
        "features",
        origin.serviceName.isEmpty ? "unknown" : "service \(origin.serviceName), version \(origin.serviceVersion)"
      ))
    if let run = lineage.runID.flatMap({ state.runs[$0] }) {
      lines.append(
        (
          "run",
          "\(run.run.id) of experiment \(run.run.experiment), \(run.run.trainer), by \(run.run.startedBy), "
            + RFC3339.text(milliseconds: run.started.timeMilliseconds)
        ))
      for parameter in run.run.parameters { lines.append(("", "\(parameter.name) = \(parameter.value)")) }
    }
    return text(lines)
  }

  private func text(_ lines: [(name: String, text: String)]) -> String {
    let width = lines.map(\.name.count).max() ?? 0
    return lines.map { line in
      line.name + String(repeating: " ", count: width - line.name.count + 2) + line.text + "\n"
    }.joined()
  }

  private func served(_ periods: [ServedPeriod]) -> String {
    var table = Table([
      ("served as", .left), ("role", .left), ("from", .left), ("to", .left), ("by", .left), ("reason", .left),
    ])
    for period in periods {
      let share = period.rollout.map { $0.answers ? " \(Double($0.sharePerMille) / 10) %" : "" } ?? ""
      let end = period.ended.map { RFC3339.text(milliseconds: $0.timeMilliseconds) } ?? "now"
      table.append([
        "@\(period.alias)", period.role + share, RFC3339.text(milliseconds: period.began.timeMilliseconds),
        period.verdict.map { "\(end) (\($0.rawValue))" } ?? end, period.began.actor, period.began.reason,
      ])
    }
    return table.text
  }
}
