package import Core

extension RegistryCommand {
  /// Whether every reader will be able to follow it: the log is for ever.
  ///
  /// - Throws: `COMMAND_INVALID`.
  package func check() throws(HeadraceError) {
    do throws(RegistryCommandFault) {
      _ = try RegistryCommand(json: encoded())
    } catch {
      let reason: String =
        switch error {
        case .malformed(let reason): reason
        case .unknownKind(let kind): "its kind is `\(kind)`"
        }
      throw HeadraceError(.user, "COMMAND_INVALID", "the command cannot be kept: \(reason)", place: subject.key)
    }
  }

  /// One JSON object; `init(json:)` reads it back.
  package func encoded() -> [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("kind", change.kind)
      json.member("id", id)
      json.member("actor", actor)
      json.member("reason", reason)
      if case .model(let name) = subject { json.member("model", name) }
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
    case .startRun: "start_run"
    case .finishRun: "finish_run"
    case .requestApproval: "request_approval"
    case .decideApproval: "decide_approval"
    case .openRetraining: "open_retraining"
    case .advanceRetraining: "advance_retraining"
    case .claimRetraining: "claim_retraining"
    case .setSampling: "set_sampling"
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
    case .startRun(let run):
      json.key("run")
      json.object { run.writeMembers(to: &$0) }
    case .finishRun(let id, let result):
      json.member("run_id", id)
      result.writeMembers(to: &json)
    case .requestApproval(let approval):
      json.key("approval")
      json.object { json in
        approval.writeMembers(to: &json)
        json.member("evidence", approval.evidence)
      }
    case .decideApproval(let id, let verdict):
      json.member("approval_id", id)
      json.member("verdict", verdict.rawValue)
    case .openRetraining(let retraining):
      json.key("retraining")
      json.object { json in
        retraining.writeMembers(to: &json)
        json.member("cause", retraining.cause)
      }
    case .advanceRetraining(let id, let from, let to, let note, let evidence):
      json.member("retraining_id", id)
      json.member("from", from.rawValue)
      json.member("to", to.rawValue)
      json.member("note", note)
      json.member("evidence", evidence)
    case .claimRetraining(let id, let worker, let until, let expected):
      json.member("retraining_id", id)
      json.member("worker", worker)
      json.member("until_ms", until)
      json.member("expected_worker", expected)
    case .setSampling(let sampling, let expected):
      json.member("topology", sampling.topology)
      json.member("model", sampling.model)
      json.member("per_mille", sampling.perMille)
      json.member("until_ms", sampling.untilMilliseconds)
      json.member("expected_offset", expected.map { Int($0) })
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
    if let lineage {
      json.key("lineage")
      json.object { lineage.writeMembers(to: &$0) }
    }
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
