internal import Core

extension RegistryCommandReader {
  private static let evidenceDepthMax = 16

  func run() throws(RegistryCommandFault) -> TrainingRun {
    TrainingRun(
      id: try name("id"), experiment: try name("experiment"), model: try name("model"),
      trainer: try text("trainer", bytesMax: RegistryLimits.textBytes),
      parameters: try items("parameters").map { (parameter) throws(RegistryCommandFault) in
        RunParameter(
          name: try parameter.text("name", bytesMax: RegistryLimits.textBytes),
          value: try parameter.text("value", bytesMax: RegistryLimits.textBytes))
      }, origin: try origin(), startedBy: try text("started_by", bytesMax: RegistryLimits.textBytes))
  }

  private func origin() throws(RegistryCommandFault) -> TrainingOrigin {
    TrainingOrigin(
      datasetManifestHash: try optionalText("dataset_manifest_hash", bytesMax: RegistryLimits.nameBytes),
      datasetPlace: try text("dataset_place", bytesMax: RegistryLimits.textBytes),
      dataVersions: try items("data_versions").map { (data) throws(RegistryCommandFault) in
        DataVersion(
          table: try data.text("table", bytesMax: RegistryLimits.textBytes),
          version: Int64(try data.integer("version", in: 0...Int.max)))
      }, serviceName: try text("service_name", bytesMax: RegistryLimits.textBytes),
      serviceVersion: try text("service_version", bytesMax: RegistryLimits.textBytes),
      codeRevision: try text("code_revision", bytesMax: RegistryLimits.textBytes))
  }

  func runResult() throws(RegistryCommandFault) -> RunResult {
    RunResult(
      status: try choice("status"), metrics: try metrics(),
      artefacts: try items("artefacts").map { (artefact) throws(RegistryCommandFault) in
        let hash = try artefact.text("content_hash", bytesMax: 64)
        guard ModelFileStore.isContentHash(hash) else {
          throw .malformed("`content_hash` is no SHA-256 in hexadecimal")
        }
        return Artefact(
          name: try artefact.text("name", bytesMax: RegistryLimits.textBytes), contentHash: hash,
          sizeBytes: try artefact.integer("size_bytes", in: 0...Int.max))
      }, error: try optionalText("error", bytesMax: RegistryLimits.evidenceBytes))
  }

  private func metrics() throws(RegistryCommandFault) -> [RunMetric] {
    try items("metrics").map { (metric) throws(RegistryCommandFault) in
      RunMetric(
        name: try metric.text("name", bytesMax: RegistryLimits.textBytes), value: try metric.number("value"),
        low: metric.isMissing("low") ? nil : try metric.number("low"),
        high: metric.isMissing("high") ? nil : try metric.number("high"))
    }
  }

  /// nil: a version of a program that kept none, or of somebody who knew nothing of it.
  func lineage() throws(RegistryCommandFault) -> VersionLineage? {
    isMissing("lineage") ? nil : try inside("lineage").versionLineage()
  }

  func versionLineage() throws(RegistryCommandFault) -> VersionLineage {
    VersionLineage(
      runID: isMissing("run_id") ? nil : try name("run_id"), origin: try origin(), metrics: try metrics(),
      fetchedFrom: try text("fetched_from", bytesMax: RegistryLimits.textBytes))
  }

  func approval() throws(RegistryCommandFault) -> Approval {
    Approval(
      id: try name("id"), model: try name("model"), version: try versionNumber("version"), alias: try aliasName(),
      requestedBy: try text("requested_by", bytesMax: RegistryLimits.textBytes),
      reason: try text("reason", bytesMax: RegistryLimits.textBytes), evidence: try jsonText("evidence"),
      expiresAtMilliseconds: try milliseconds("expires_at_ms"))
  }

  func retraining() throws(RegistryCommandFault) -> Retraining {
    Retraining(
      id: try name("id"), policy: try name("policy"), model: try name("model"), cause: try jsonText("cause"),
      openedBy: try text("opened_by", bytesMax: RegistryLimits.textBytes), atMilliseconds: try milliseconds("at_ms"))
  }

  // MARK: Single members

  func isMissing(_ name: String) -> Bool { document[name]?.isNull ?? true }

  func inside(_ name: String) throws(RegistryCommandFault) -> Self {
    guard let inner = document[name], case .object = inner.content else {
      throw .malformed("`\(name)` must be an object")
    }
    return Self(document: inner)
  }

  private func items(_ name: String) throws(RegistryCommandFault) -> [Self] {
    guard case .array(let elements) = document[name]?.content, elements.count <= RegistryLimits.runParts else {
      throw .malformed("`\(name)` must be an array of at most \(RegistryLimits.runParts)")
    }
    return elements.map { Self(document: $0) }
  }

  func optionalText(_ name: String, bytesMax: Int) throws(RegistryCommandFault) -> String? {
    isMissing(name) ? nil : try text(name, bytesMax: bytesMax)
  }

  /// One JSON value as text, or nothing.
  func jsonText(_ name: String) throws(RegistryCommandFault) -> String {
    let text = try text(name, bytesMax: RegistryLimits.evidenceBytes)
    guard !text.isEmpty else { return text }
    do throws(JSONFault) {
      _ = try JSONDocument(Array(text.utf8), depthMax: Self.evidenceDepthMax)
    } catch {
      throw .malformed("`\(name)` is no JSON: byte \(error.position): \(error.reason.expectation)")
    }
    return text
  }
}
