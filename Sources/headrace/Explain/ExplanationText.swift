internal import Core
internal import Features
internal import OfflineStore
internal import Runtime

/// Explanations for terminals and for programs.
struct ExplanationText {
  func table(_ row: RowExplanation, key: String, note: String?) -> String {
    var text = "\(row.view) \(key) at \(RFC3339.text(milliseconds: row.atMilliseconds)): "
    text += "\(row.recordCount) records of \(row.topic), archive version \(row.tableVersion)\n"
    if let note { text += "note: \(note)\n" }
    var table = Table([
      ("feature", .left), ("value", .right), ("status", .left), ("window", .left), ("records", .right),
      ("verified", .left), ("offsets", .left),
    ])
    for feature in row.features {
      table.append([
        feature.name, feature.value.text, feature.status.rawValue, bounds(feature), "\(feature.contributing.count)",
        feature.isVerified ? "yes" : "NO", OffsetRanges.text(feature.contributing) + notes(feature),
      ])
    }
    return text + table.text
  }

  private func bounds(_ feature: FeatureExplanation) -> String {
    guard let window = feature.window else { return "of other features" }
    guard let from = feature.fromMilliseconds, let to = feature.toMilliseconds else { return window }
    return "\(RFC3339.text(milliseconds: from)) to \(RFC3339.text(milliseconds: to))"
  }

  private func notes(_ feature: FeatureExplanation) -> String {
    var notes: [String] = []
    if !feature.repaired.isEmpty { notes.append("repaired \(OffsetRanges.text(feature.repaired))") }
    if !feature.late.isEmpty { notes.append("too late \(OffsetRanges.text(feature.late))") }
    if feature.hasNewerRecords { notes.append("with newer records of the last tile") }
    return notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
  }

  func table(_ explanation: PredictionExplanation) -> String {
    let id = explanation.id
    var text = "\(id.topic)/\(id.partition)@\(id.offset) by \(id.model)"
    // Of a model of the registry the prediction says which version it was.
    if let number = explanation.recorded?.version { text += " version \(number)" }
    if let arm = explanation.recorded?.arm { text += " (\(arm))" }
    if let version = explanation.modelVersion { text += " \(version.prefix(16))" }
    text += ", service \(explanation.service) \(explanation.serviceVersion)\n"
    text += "event time \(RFC3339.text(milliseconds: explanation.eventTimeMilliseconds)), \(explanation.outcome)\n"
    if let recorded = explanation.recorded {
      text += "said " + (recorded.score.map { "\($0)" } ?? recorded.error ?? "no single number")
      text += " (partition \(explanation.id.partition) @ \(recorded.offset) of its topic)\n"
    }
    for (name, value) in explanation.request { text += "\(name) = \(value.text) (of the event)\n" }
    for (row, key, note) in explanation.rows {
      text += "\n" + table(row, key: key.map(\.value.text).joined(separator: ","), note: note)
    }
    return text
  }

  func json(_ explanation: PredictionExplanation) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("topic", explanation.id.topic)
      writer.member("partition", explanation.id.partition)
      writer.member("offset", explanation.id.offset)
      writer.member("model", explanation.id.model)
      if let version = explanation.modelVersion { writer.member("model_version", version) }
      if let recorded = explanation.recorded {
        if let version = recorded.version { writer.member("version", version) }
        if let arm = recorded.arm { writer.member("arm", arm) }
        if let score = recorded.score { writer.member("score", score) }
        if let error = recorded.error { writer.member("error", error) }
        writer.member("prediction_offset", recorded.offset)
      }
      writer.member("service", explanation.service)
      writer.member("service_version", explanation.serviceVersion)
      writer.member("event_time", explanation.eventTimeMilliseconds)
      if let known = explanation.knownMilliseconds { writer.member("known_time", known) }
      if let watermark = explanation.watermarkMilliseconds { writer.member("watermark", watermark) }
      writer.member("outcome", explanation.outcome)
      writer.key("request")
      writer.object { writer in
        for (name, value) in explanation.request {
          writer.key(name)
          write(value, to: &writer)
        }
      }
      writer.key("rows")
      writer.array { writer in
        for (row, key, note) in explanation.rows { write(row, key: key, note: note, to: &writer) }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  func write(
    _ row: RowExplanation, key: [(name: String, value: ServedValue)], note: String?, to writer: inout JSONWriter
  ) {
    writer.object { writer in
      writer.member("view", row.view)
      writer.key("key")
      writer.object { writer in
        for (name, value) in key {
          writer.key(name)
          write(value, to: &writer)
        }
      }
      writer.member("at", row.atMilliseconds)
      writer.member("topic", row.topic)
      writer.member("records", row.recordCount)
      writer.member("table_version", row.tableVersion)
      if let note { writer.member("note", note) }
      writer.key("features")
      writer.array { writer in for feature in row.features { write(feature, to: &writer) } }
    }
  }

  private func write(_ feature: FeatureExplanation, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("name", feature.name)
      writer.key("value")
      write(feature.value, to: &writer)
      writer.member("status", feature.status.rawValue)
      if let window = feature.window { writer.member("window", window) }
      if let from = feature.fromMilliseconds { writer.member("from", from) }
      if let to = feature.toMilliseconds { writer.member("to", to) }
      for (name, positions) in [
        ("offsets", feature.contributing), ("repaired", feature.repaired), ("late", feature.late),
      ] {
        writer.key(name)
        writer.array { writer in
          for position in positions {
            writer.array { writer in
              writer.number(position.partition)
              writer.number(position.offset)
            }
          }
        }
      }
      writer.member("newer_records", feature.hasNewerRecords)
      writer.member("verified", feature.isVerified)
    }
  }

  private func write(_ value: ServedValue, to writer: inout JSONWriter) {
    switch value {
    case .null: writer.null()
    case .integer(let number): writer.number(number)
    case .double(let bits):
      let number = Double(bitPattern: bits)
      if number.isFinite { writer.raw(number.description.utf8) } else { writer.string(number.description) }
    case .text(let text): writer.string(text)
    }
  }
}
