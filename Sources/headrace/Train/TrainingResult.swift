internal import Core
internal import Inference
internal import OfflineStore
internal import Registry
internal import Storage
internal import Topology
internal import Training

/// The bytes of a model that was trained.
enum ModelBytes {
  static func read(_ model: TrainedModel) throws(HeadraceError) -> [UInt8] {
    let bytes = try ModelFiles.read(model.path)
    guard ContentHash.sha256(bytes) == model.contentHash else {
      throw HeadraceError(
        .external, "TRAINER_OUTPUT", "the file is not the one that was trained", place: model.path,
        remedy: "train it again, in a folder that nobody else writes to")
    }
    return bytes
  }
}

/// What `headrace train` has found.
struct TrainingResult: Sendable {
  var model: TrainedModel
  var bytes: [UInt8]
  var report: EvaluationReport
  var specification: TrainingSpecification
  var dataset: TrainingDataset
}

/// The version that a model became.
struct AddedVersion: Sendable {
  var model: String
  var number: Int
  var isNew: Bool
  var alias: String?

  init(
    _ result: TrainingResult, model name: String, alias: String?, data: String, actor: String
  ) throws(HeadraceError) {
    let model = try Model(result.bytes, place: result.model.path)
    // The kernels are checked on the model's own thresholds before anything is kept.
    _ = try CompiledModel(model)
    try Folder.make(data)
    let registry = try LocalRegistry(dataDirectory: data)
    let now = WallClock.system.nowMilliseconds
    let note = "trained by \(result.specification.trainer.name) on \(result.dataset.entry.name)"
    var described = ModelVersion(model, name: name, note: note, addedBy: actor, nowMilliseconds: now)
    described.lineage = result.lineage
    let (version, isNew) = try registry.add(result.bytes, as: described, actor: actor)
    if let alias {
      _ = try registry.setAlias(
        alias, of: name, to: version.number, expected: .any, actor: actor, reason: note, timeMilliseconds: now)
    }
    (self.model, number, self.isNew, self.alias) = (name, version.number, isNew, alias)
  }
}

extension TrainingResult {
  /// What the version was made of, and what Headrace has measured.
  fileprivate var lineage: VersionLineage {
    let entry = dataset.entry
    let origin = TrainingOrigin(
      datasetManifestHash: entry.manifest.contentHash, datasetPlace: dataset.place,
      dataVersions: entry.tables.map { DataVersion(table: $0.name, version: $0.version) },
      serviceName: entry.manifest.service, serviceVersion: entry.manifest.serviceFingerprint,
      codeRevision: model.codeRevision)
    let metrics = (report.challenger?.metrics ?? []).filter(\.value.isFinite).map { metric in
      RunMetric(name: metric.name, value: metric.value, low: metric.low, high: metric.high)
    }
    return VersionLineage(origin: origin, metrics: metrics)
  }

  func json(_ added: AddedVersion?) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.key("model")
      json.object { json in
        json.member("path", model.path)
        json.member("sha256", model.contentHash)
        json.member("size_bytes", model.sizeBytes)
        json.member("format", model.format)
        json.member("seconds", model.seconds)
        json.member("attempts", model.attempts)
        json.member("code_revision", model.codeRevision)
      }
      json.key("parameters")
      json.object { json in for parameter in specification.parameters { json.member(parameter.name, parameter.value) } }
      json.key("log")
      json.array { json in for line in model.log { json.string(line) } }
      json.key("evaluation")
      report.write(to: &json)
      if let added {
        json.key("added")
        json.object { json in
          json.member("model", added.model)
          json.member("version", added.number)
          json.member("new", added.isNew)
          if let alias = added.alias { json.member("alias", alias) }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  func text(_ added: AddedVersion?) -> String {
    let duration = Figures.duration(milliseconds: Int64(max(0, min(model.seconds, 1e12)) * 1_000))
    var text =
      "\(model.format) model of \(Figures.grouped(model.sizeBytes)) bytes in \(duration): \(model.path)\n"
      + "sha256 \(model.contentHash)\n\n"
      + "\(Figures.grouped(report.rowCount)) rows that test, \(Figures.grouped(report.trainingRowCount)) that train; "
      + "\(report.objective == .regression ? "mean" : "share of yes") \(Self.figure(report.labelMean))\n"
      + metricsTable + "\n" + differencesTable
    if !report.slices.isEmpty { text += "\n\(slicesTable)" }
    text += "\n" + (report.findings.isEmpty ? "no findings\n" : findingsText)
    if let added {
      text += "\n\(added.model) version \(added.number)\(added.isNew ? "" : ", there already")"
      text += added.alias.map { ", \(added.model)@\($0)\n" } ?? "\n"
    }
    return text
  }

  private var metricsTable: String {
    let names = report.models.first?.metrics.map(\.name) ?? []
    var table = Table([("metric", .left)] + report.models.map { ($0.name, .left) } + [("claimed", .left)])
    for name in names {
      let claim = report.challenger?.claims.first { $0.name == name || $0.name == "test_\(name)" }
      table.append(
        [name]
          + report.models.map { model in
            guard let metric = model[name] else { return "-" }
            guard let low = metric.low, let high = metric.high else { return Self.figure(metric.value) }
            return "\(Self.figure(metric.value)) [\(Self.figure(low)), \(Self.figure(high))]"
          } + [claim.map { Self.figure($0.value) } ?? ""])
    }
    return table.text
  }

  private var differencesTable: String {
    var table = Table([("difference", .left), ("against", .left), ("value", .left), ("", .left), ("method", .left)])
    for difference in report.differences {
      let verdict = difference.isBetter() ? "better" : difference.isWorse() ? "worse" : "open"
      table.append([
        difference.metric, difference.against,
        "\(Self.figure(difference.value)) [\(Self.figure(difference.low)), \(Self.figure(difference.high))]", verdict,
        difference.method,
      ])
    }
    return table.text
  }

  private var slicesTable: String {
    let name = report.objective == .binary ? "auc" : report.objective == .regression ? "mae" : "log_loss"
    var table = Table([("slice", .left), ("rows", .right)] + report.models.map { ("\(name) \($0.name)", .left) })
    for slice in report.slices {
      table.append(
        [slice.name, Figures.grouped(slice.rowCount)]
          + slice.models.map { model in model[name].map { Self.figure($0.value) } ?? "-" })
    }
    return table.text
  }

  private var findingsText: String {
    report.findings.map { finding in
      "\(finding.severity.rawValue): \(finding.kind.rawValue) \(finding.subject): \(finding.message)"
        + (finding.evidence.isEmpty
          ? "" : " (\(finding.evidence.map { "\($0.name) \($0.value)" }.joined(separator: ", ")))") + "\n"
    }.joined()
  }

  private static func figure(_ value: Double) -> String { Figures.fixed(value, 4) }
}
