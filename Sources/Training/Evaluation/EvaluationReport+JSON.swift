package import Core

extension EvaluationReport {
  package var json: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// As one value of a larger document.
  package func write(to writer: inout JSONWriter) {
    writer.object { json in
      json.member("dataset", dataset)
      json.member("manifest_sha256", manifestHash)
      json.member("label", label)
      json.member("objective", objective.rawValue)
      json.member("rows", rowCount)
      json.member("training_rows", trainingRowCount)
      json.member("label_mean", labelMean)
      json.member("confidence", confidence)
      json.member("threshold", threshold)
      json.list("models", models) { $0.write(to: &$1) }
      json.list("differences", differences) { $0.write(to: &$1) }
      json.list("slices", slices) { slice, json in
        json.object { json in
          json.member("name", slice.name)
          json.member("rows", slice.rowCount)
          json.list("models", slice.models) { $0.write(to: &$1) }
          json.list("differences", slice.differences) { $0.write(to: &$1) }
        }
      }
      json.list("findings", findings) { $0.write(to: &$1) }
    }
  }

  /// Reads what `json` wrote.
  ///
  /// - Throws: `EVALUATION_REPORT`.
  package init(json bytes: [UInt8]) throws(HeadraceError) {
    guard let document = try? JSONDocument(bytes, depthMax: 16), let report = Self.read(document) else {
      throw HeadraceError(
        .external, "EVALUATION_REPORT", "this is no report of an evaluation", remedy: "evaluate the model again")
    }
    self = report
  }

  private static func read(_ json: JSONDocument) -> EvaluationReport? {
    guard let dataset = json["dataset"]?.string, let hash = json["manifest_sha256"]?.string,
      let label = json["label"]?.string, let objective = json["objective"]?.string.flatMap(TrainingObjective.init),
      let rows = json["rows"]?.count, let trainingRows = json["training_rows"]?.count,
      let mean = json["label_mean"]?.double, let confidence = json["confidence"]?.double,
      let threshold = json["threshold"]?.double, let models = json["models"]?.all(ModelFigures.init),
      let differences = json["differences"]?.all(Difference.init), let slices = json["slices"]?.all(Slice.init),
      let findings = json["findings"]?.all(TrainingFinding.init)
    else { return nil }
    return EvaluationReport(
      dataset: dataset, manifestHash: hash, label: label, objective: objective, rowCount: rows,
      trainingRowCount: trainingRows, labelMean: mean, confidence: confidence, threshold: threshold, models: models,
      differences: differences, slices: slices, findings: findings)
  }
}

extension EvaluationReport.ModelFigures {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { json in
      json.member("name", name)
      json.member("role", role.rawValue)
      if let contentHash { json.member("sha256", contentHash) }
      json.list("metrics", metrics) { metric, json in
        json.object { json in
          json.member("name", metric.name)
          json.member("value", metric.value)
          if let low = metric.low { json.member("low", low) }
          if let high = metric.high { json.member("high", high) }
        }
      }
      json.list("claims", claims) { claim, json in
        json.object { json in
          json.member("name", claim.name)
          json.member("value", claim.value)
        }
      }
    }
  }

  fileprivate init?(_ json: JSONDocument) {
    guard let name = json["name"]?.string, let role = json["role"]?.string.flatMap(EvaluationReport.Role.init),
      let metrics = json["metrics"]?.all({ metric -> EvaluationReport.Metric? in
        guard let name = metric["name"]?.string, let value = metric["value"]?.figure else { return nil }
        return .init(name: name, value: value, low: metric["low"]?.figure, high: metric["high"]?.figure)
      }),
      let claims = json["claims"]?.all({ claim -> TrainedModel.Claim? in
        guard let name = claim["name"]?.string, let value = claim["value"]?.double else { return nil }
        return .init(name: name, value: value)
      })
    else { return nil }
    self.init(name: name, role: role, contentHash: json["sha256"]?.string, metrics: metrics, claims: claims)
  }
}

extension EvaluationReport.Difference {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { json in
      json.member("metric", metric)
      json.member("against", against)
      json.member("role", role.rawValue)
      json.member("value", value)
      json.member("low", low)
      json.member("high", high)
      json.member("method", method)
      json.member("higher_is_better", higherIsBetter)
    }
  }

  fileprivate init?(_ json: JSONDocument) {
    guard let metric = json["metric"]?.string, let against = json["against"]?.string,
      let role = json["role"]?.string.flatMap(EvaluationReport.Role.init), let value = json["value"]?.figure,
      let low = json["low"]?.figure, let high = json["high"]?.figure, let method = json["method"]?.string,
      let higherIsBetter = json["higher_is_better"]?.boolean
    else { return nil }
    self.init(
      metric: metric, against: against, role: role, value: value, low: low, high: high, method: method,
      higherIsBetter: higherIsBetter)
  }
}

extension EvaluationReport.Slice {
  fileprivate init?(_ json: JSONDocument) {
    guard let name = json["name"]?.string, let rows = json["rows"]?.count,
      let models = json["models"]?.all(EvaluationReport.ModelFigures.init),
      let differences = json["differences"]?.all(EvaluationReport.Difference.init)
    else { return nil }
    self.init(name: name, rowCount: rows, models: models, differences: differences)
  }
}

extension TrainingFinding {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { json in
      json.member("kind", kind.rawValue)
      json.member("severity", severity.rawValue)
      json.member("subject", subject)
      json.member("message", message)
      json.key("evidence")
      json.object { json in for item in evidence { json.member(item.name, item.value) } }
    }
  }

  fileprivate init?(_ json: JSONDocument) {
    guard let kind = json["kind"]?.string.flatMap(Kind.init),
      let severity = json["severity"]?.string.flatMap(Severity.init),
      let subject = json["subject"]?.string, let message = json["message"]?.string,
      case .object(let members)? = json["evidence"]?.content
    else { return nil }
    self.init(
      kind, severity, subject: subject, message: message,
      evidence: members.compactMap { member in member.value.string.map { (member.name, $0) } })
  }
}

extension JSONWriter {
  fileprivate mutating func list<Element>(
    _ name: String, _ elements: [Element], _ body: (Element, inout JSONWriter) -> Void
  ) {
    key(name)
    array { json in for element in elements { body(element, &json) } }
  }
}

extension JSONDocument {
  fileprivate var count: Int? { integer.flatMap { Int(exactly: $0) } }

  /// A number, infinities as the writer puts them down; null is NaN.
  fileprivate var figure: Double? { isNull ? .nan : double }

  /// All elements, or nil.
  fileprivate func all<Element>(_ read: (JSONDocument) -> Element?) -> [Element]? {
    guard let elements else { return nil }
    let values = elements.compactMap(read)
    return values.count == elements.count ? values : nil
  }
}
