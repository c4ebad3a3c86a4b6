package import Core

extension TrainingRun {
  package func writeMembers(to json: inout JSONWriter) {
    json.member("id", id)
    json.member("experiment", experiment)
    json.member("model", model)
    json.member("trainer", trainer)
    json.key("parameters")
    json.array { array in
      for parameter in parameters {
        array.object { json in
          json.member("name", parameter.name)
          json.member("value", parameter.value)
        }
      }
    }
    origin.writeMembers(to: &json)
    json.member("started_by", startedBy)
  }
}

extension TrainingOrigin {
  package func writeMembers(to json: inout JSONWriter) {
    json.member("dataset_manifest_hash", datasetManifestHash)
    json.member("dataset_place", datasetPlace)
    json.key("data_versions")
    json.array { array in
      for data in dataVersions {
        array.object { json in
          json.member("table", data.table)
          json.member("version", data.version)
        }
      }
    }
    json.member("service_name", serviceName)
    json.member("service_version", serviceVersion)
    json.member("code_revision", codeRevision)
  }
}

extension RunResult {
  package func writeMembers(to json: inout JSONWriter) {
    json.member("status", status.rawValue)
    RunMetric.write(metrics, to: &json)
    json.key("artefacts")
    json.array { array in
      for artefact in artefacts {
        array.object { json in
          json.member("name", artefact.name)
          json.member("content_hash", artefact.contentHash)
          json.member("size_bytes", artefact.sizeBytes)
        }
      }
    }
    json.member("error", error)
  }
}

extension RunMetric {
  /// The member `metrics`: an array of objects.
  static func write(_ metrics: [RunMetric], to json: inout JSONWriter) {
    json.key("metrics")
    json.array { array in
      for metric in metrics {
        array.object { json in
          json.member("name", metric.name)
          json.member("value", metric.value)
          if let low = metric.low { json.member("low", low) }
          if let high = metric.high { json.member("high", high) }
        }
      }
    }
  }
}

extension VersionLineage {
  package func writeMembers(to json: inout JSONWriter) {
    json.member("run_id", runID)
    origin.writeMembers(to: &json)
    RunMetric.write(metrics, to: &json)
    json.member("fetched_from", fetchedFrom)
  }
}

extension Approval {
  /// All but the evidence.
  package func writeMembers(to json: inout JSONWriter) {
    json.member("id", id)
    json.member("model", model)
    json.member("version", version)
    json.member("alias", alias)
    json.member("requested_by", requestedBy)
    json.member("reason", reason)
    json.member("expires_at_ms", expiresAtMilliseconds)
  }
}

extension Retraining {
  /// All but the cause.
  package func writeMembers(to json: inout JSONWriter) {
    json.member("id", id)
    json.member("policy", policy)
    json.member("model", model)
    json.member("opened_by", openedBy)
    json.member("at_ms", atMilliseconds)
  }
}

extension JSONWriter {
  /// A number, or null.
  mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// A text, or null.
  mutating func member(_ name: String, _ text: String?) {
    key(name)
    if let text { string(text) } else { null() }
  }
}
