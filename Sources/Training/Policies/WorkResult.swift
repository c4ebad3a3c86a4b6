package import Core

/// What the step `dataset` has made.
package struct DatasetResult: Sendable, Equatable {
  /// Below the tables' root: `datasets/NAME/1`.
  package var folder: String
  package var manifestHash: String
  package var contentHash: String
  package var rowCount: Int
  package var fromMilliseconds: Int64
  package var toMilliseconds: Int64
  package var serviceName: String
  package var serviceFingerprint: String
  /// Versions of the tables that it was made of.
  package var tables: [String: Int64]
  package var seconds: Double

  package init(
    folder: String, manifestHash: String, contentHash: String, rowCount: Int, fromMilliseconds: Int64,
    toMilliseconds: Int64, serviceName: String, serviceFingerprint: String, tables: [String: Int64], seconds: Double
  ) {
    self.folder = folder
    self.manifestHash = manifestHash
    self.contentHash = contentHash
    self.rowCount = rowCount
    self.fromMilliseconds = fromMilliseconds
    self.toMilliseconds = toMilliseconds
    self.serviceName = serviceName
    self.serviceFingerprint = serviceFingerprint
    self.tables = tables
    self.seconds = seconds
  }

  package var json: String {
    WorkJSON.text { json in
      json.member("folder", folder)
      json.member("manifest_hash", manifestHash)
      json.member("content_hash", contentHash)
      json.member("rows", rowCount)
      json.member("from_ms", fromMilliseconds)
      json.member("to_ms", toMilliseconds)
      json.member("service", serviceName)
      json.member("service_version", serviceFingerprint)
      json.key("tables")
      json.object { json in for (name, version) in tables.sorted(by: { $0.key < $1.key }) { json.member(name, version) }
      }
      json.member("seconds", seconds)
    }
  }

  package init?(json text: String) {
    guard let document = WorkJSON.document(text), let folder = document["folder"]?.string,
      let hash = document["manifest_hash"]?.string, let content = document["content_hash"]?.string,
      let rows = document["rows"]?.integer, let from = document["from_ms"]?.integer,
      let to = document["to_ms"]?.integer
    else { return nil }
    self.init(
      folder: folder, manifestHash: hash, contentHash: content, rowCount: Int(rows), fromMilliseconds: from,
      toMilliseconds: to, serviceName: document["service"]?.string ?? "",
      serviceFingerprint: document["service_version"]?.string ?? "", tables: WorkJSON.numbers(document["tables"]),
      seconds: document["seconds"]?.double ?? 0)
  }
}

/// What the step `train` has made.
package struct ModelResult: Sendable, Equatable {
  /// Of the file on this machine; empty when it came from outside, into the store.
  package var path: String
  package var contentHash: String
  package var sizeBytes: Int
  package var seconds: Double
  package var codeRevision: String
  /// What the trainer says of its model.
  package var claims: [TrainedModel.Claim]

  package init(
    path: String, contentHash: String, sizeBytes: Int, seconds: Double, codeRevision: String,
    claims: [TrainedModel.Claim]
  ) {
    self.path = path
    self.contentHash = contentHash
    self.sizeBytes = sizeBytes
    self.seconds = seconds
    self.codeRevision = codeRevision
    self.claims = claims
  }

  package var json: String {
    WorkJSON.text { json in
      json.member("path", path)
      json.member("content_hash", contentHash)
      json.member("size_bytes", sizeBytes)
      json.member("seconds", seconds)
      json.member("code_revision", codeRevision)
      json.key("claims")
      json.array { array in
        for claim in claims {
          array.object { json in
            json.member("name", claim.name)
            json.member("value", claim.value)
          }
        }
      }
    }
  }

  package init?(json text: String) {
    guard let document = WorkJSON.document(text), let hash = document["content_hash"]?.string, hash.utf8.count == 64,
      let size = document["size_bytes"]?.integer
    else { return nil }
    let claims = (document["claims"]?.elements ?? []).compactMap { entry -> TrainedModel.Claim? in
      guard let name = entry["name"]?.string, let value = entry["value"]?.double else { return nil }
      return TrainedModel.Claim(name: name, value: value)
    }
    self.init(
      path: document["path"]?.string ?? "", contentHash: hash, sizeBytes: Int(size),
      seconds: document["seconds"]?.double ?? 0,
      codeRevision: document["code_revision"]?.string ?? "", claims: claims)
  }
}

/// What the step `evaluate` has found.
package struct EvaluationResult: Sendable, Equatable {
  /// The version that the alias stood for: what the challenger was compared with; nil when there was none.
  package var championVersion: Int?
  package var format: String
  package var summary: String
  package var featureNames: [String]
  package var featureCount: Int
  package var outputCount: Int
  package var report: EvaluationReport

  package init(
    championVersion: Int?, format: String, summary: String, featureNames: [String], featureCount: Int,
    outputCount: Int, report: EvaluationReport
  ) {
    self.championVersion = championVersion
    self.format = format
    self.summary = summary
    self.featureNames = featureNames
    self.featureCount = featureCount
    self.outputCount = outputCount
    self.report = report
  }

  package var json: String {
    WorkJSON.text { json in
      json.key("champion_version")
      if let championVersion { json.number(championVersion) } else { json.null() }
      json.member("format", format)
      json.member("summary", summary)
      json.key("feature_names")
      json.array { names in for name in featureNames { names.string(name) } }
      json.member("feature_count", featureCount)
      json.member("output_count", outputCount)
      json.key("report")
      json.raw(report.json)
    }
  }

  /// The same in at most so many bytes where that can be: figures of slices that no gate asks for go first, then the
  /// slices that say least. One that is worse than the champion stays as long as any.
  func json(bytesMax: Int) -> String {
    var text = json
    guard text.utf8.count > bytesMax else { return text }
    var kept = self
    kept.report.slices = report.slices.map { slice in
      var slice = slice
      slice.models = []
      slice.differences.removeAll { $0.role != .champion }
      return slice
    }.sorted { first, second in
      let (isWorse, isOtherWorse) = (
        first.differences.contains { $0.isWorse() }, second.differences.contains { $0.isWorse() }
      )
      return isWorse == isOtherWorse ? first.rowCount > second.rowCount : isWorse
    }
    text = kept.json
    while text.utf8.count > bytesMax, !kept.report.slices.isEmpty {
      kept.report.slices.removeLast((kept.report.slices.count + 1) / 2)
      text = kept.json
    }
    return text
  }

  package init?(json text: String) {
    guard let document = WorkJSON.document(text), let format = document["format"]?.string,
      let summary = document["summary"]?.string, let features = document["feature_count"]?.integer,
      let outputs = document["output_count"]?.integer, let inner = document["report"],
      case .array(let names)? = document["feature_names"]?.content
    else { return nil }
    let bytes = Array(text.utf8)
    guard bytes.indices.contains(inner.range.lowerBound), inner.range.upperBound <= bytes.count,
      let report = try? EvaluationReport(json: Array(bytes[inner.range]))
    else { return nil }
    self.init(
      championVersion: document["champion_version"]?.integer.map { Int($0) }, format: format, summary: summary,
      featureNames: names.compactMap(\.string), featureCount: Int(features), outputCount: Int(outputs), report: report)
  }
}

/// Small JSON objects of our own.
package enum WorkJSON {
  package static func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    writer.object(body)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  package static func document(_ text: String) -> JSONDocument? { try? JSONDocument(Array(text.utf8), depthMax: 32) }

  package static func numbers(_ document: JSONDocument?) -> [String: Int64] {
    guard case .object(let members)? = document?.content else { return [:] }
    var numbers: [String: Int64] = [:]
    for member in members { if let value = member.value.integer { numbers[member.name] = value } }
    return numbers
  }
}
