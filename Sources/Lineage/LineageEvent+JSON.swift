internal import Core

extension LineageEvent {
  /// Of the messages of errors.
  private static let messageBytesMax = 16_384

  /// One JSON object.
  ///
  /// - Parameter producer: who says it: a URI with the program's version.
  package func encoded(producer: String) -> [UInt8] {
    let facets = LineageFacets(producer: producer)
    var writer = JSONWriter()
    writer.object { json in
      json.member("eventType", kind.rawValue)
      json.member("eventTime", RFC3339.text(milliseconds: timeMilliseconds))
      json.member("producer", producer)
      json.member("schemaURL", "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent")
      json.key("run")
      json.object { json in
        json.member("runId", runID.description)
        json.key("facets")
        json.object { writeRunFacets(facets, to: &$0) }
      }
      json.key("job")
      json.object { json in
        json.member("namespace", job.namespace)
        json.member("name", job.name)
        json.key("facets")
        json.object { json in
          facets.write("jobType", "2-0-3/JobTypeJobFacet", to: &json) { json in
            json.member("processingType", job.kind.isStream ? "STREAMING" : "BATCH")
            json.member("integration", "HEADRACE")
            json.member("jobType", job.kind.rawValue)
          }
        }
      }
      json.key("inputs")
      json.array { array in for input in inputs { input.write(isOutput: false, facets, to: &array) } }
      json.key("outputs")
      json.array { array in for output in outputs { output.write(isOutput: true, facets, to: &array) } }
    }
    return writer.bytes
  }

  private func writeRunFacets(_ facets: LineageFacets, to json: inout JSONWriter) {
    facets.write("processing_engine", "1-1-1/ProcessingEngineRunFacet", to: &json) { json in
      json.member("version", facets.version)
      json.member("name", "headrace")
    }
    if let errorMessage {
      facets.write("errorMessage", "1-0-1/ErrorMessageRunFacet", to: &json) { json in
        json.member("message", String(decoding: errorMessage.utf8.prefix(Self.messageBytesMax), as: UTF8.self))
        json.member("programmingLanguage", "SWIFT")
      }
    }
    guard !notes.isEmpty else { return }
    facets.write("headrace", to: &json) { json in
      for note in notes { json.member(note.name, note.value) }
    }
  }
}

extension LineageDataset {
  fileprivate func write(isOutput: Bool, _ facets: LineageFacets, to json: inout JSONWriter) {
    json.object { json in
      json.member("namespace", namespace)
      json.member("name", name)
      json.key("facets")
      json.object { json in
        if !fields.isEmpty {
          facets.write("schema", "1-1-1/SchemaDatasetFacet", to: &json) { json in
            json.key("fields")
            json.array { array in
              for field in fields {
                array.object { json in
                  json.member("name", field.name)
                  json.member("type", field.type)
                }
              }
            }
          }
        }
        if let version {
          facets.write("version", "1-0-1/DatasetVersionDatasetFacet", to: &json) { json in
            json.member("datasetVersion", version)
          }
        }
        facets.write("dataSource", "1-0-1/DatasourceDatasetFacet", to: &json) { json in
          json.member("name", namespace)
          if let uri = sourceURI ?? (namespace.contains("://") ? namespace : nil) { json.member("uri", uri) }
        }
      }
      guard isOutput, rowCount != nil || sizeBytes != nil else { return }
      json.key("outputFacets")
      json.object { json in
        facets.write("outputStatistics", "1-0-2/OutputStatisticsOutputDatasetFacet", to: &json) { json in
          if let rowCount { json.member("rowCount", rowCount) }
          if let sizeBytes { json.member("size", sizeBytes) }
        }
      }
    }
  }
}

/// What every facet begins with.
private struct LineageFacets {
  let producer: String

  /// Behind the last `/` of the producer.
  var version: String { String(producer.split(separator: "/").last ?? "") }

  /// - Parameter schema: version and name below the specification's facets; nil for one of our own.
  func write(
    _ name: String, _ schema: String? = nil, to json: inout JSONWriter, _ members: (inout JSONWriter) -> Void
  ) {
    json.key(name)
    json.object { json in
      json.member("_producer", producer)
      let definition = schema.map { "facets/\($0).json#/$defs/\($0.split(separator: "/").last ?? "")" }
      json.member(
        "_schemaURL", "https://openlineage.io/spec/\(definition ?? "2-0-2/OpenLineage.json#/$defs/RunFacet")")
      members(&json)
    }
  }
}
