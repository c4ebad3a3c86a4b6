package import Core

extension RegistryCommand {
  /// One JSON object; `init(json:)` reads it back.
  package func encoded() -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("kind", change.kind)
      json.member("id", id)
      json.member("actor", actor)
      json.member("reason", reason)
      json.member("model", model)
      change.writeMembers(to: &json)
    }
    return writer.bytes
  }
}

extension RegistryCommand.Change {
  fileprivate var kind: String {
    switch self {
    case .addVersion: "add_version"
    case .setAlias: "set_alias"
    case .startRollout: "start_rollout"
    case .endRollout: "end_rollout"
    }
  }

  fileprivate func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .addVersion(let version): version.writeMembers(to: &json)
    case .setAlias(_, let alias, let version, let expected):
      json.member("alias", alias)
      json.member("version", version)
      json.member("expected", expected)
    case .startRollout(_, let alias, let rollout, let expected):
      json.member("alias", alias)
      json.key("rollout")
      rollout.write(to: &json)
      json.member("expected", expected)
    case .endRollout(_, let alias, let version, let verdict, let expected):
      json.member("alias", alias)
      json.member("version", version)
      json.member("verdict", verdict.rawValue)
      json.member("expected", expected)
    }
  }
}

extension ModelVersion {
  /// All but the model's name.
  package func writeMembers(to json: inout JSONWriter) {
    json.member("version", number)
    json.member("content_hash", contentHash)
    json.member("format", format)
    json.member("summary", summary)
    json.member("feature_count", featureCount)
    json.key("feature_names")
    json.array { names in for name in featureNames { names.string(name) } }
    json.member("output_count", outputCount)
    json.member("added_at_ms", addedAtMilliseconds)
    json.member("added_by", addedBy)
    json.member("note", note)
  }
}

extension Rollout {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("kind", kind.rawValue)
      json.member("version", version)
      json.member("share_per_mille", sharePerMille)
      json.member("salt", salt)
      json.key("segments")
      json.array { texts in for segment in segments { texts.string(segment) } }
      json.key("gates")
      json.array { array in
        for gate in gates {
          array.object { json in
            json.member("metric", gate.metric.rawValue)
            json.key("at_most")
            json.value { $0 += "\(gate.atMost)".utf8 }
            json.member("predictions_min", gate.predictionsMin)
          }
        }
      }
      json.member("decides", decides.rawValue)
    }
  }
}

extension JSONWriter {
  /// A number, or null.
  fileprivate mutating func member(_ name: String, _ value: Int?) {
    key(name)
    if let value { number(value) } else { null() }
  }
}
