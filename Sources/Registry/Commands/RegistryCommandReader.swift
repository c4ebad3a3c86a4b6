internal import Core

/// Why bytes are no command that this program can follow.
package enum RegistryCommandFault: Error, Hashable {
  /// Of a newer program: kept where it stands, and passed over.
  case unknownKind(String)
  case malformed(String)
}

extension RegistryCommand {
  /// Reads a command that another program wrote. Members that are not known are passed over.
  ///
  /// - Throws: what is wrong with it; every reader of the same bytes says the same.
  package init(json bytes: [UInt8]) throws(RegistryCommandFault) {
    guard bytes.count <= RegistryLimits.commandBytes else {
      throw .malformed("it has \(bytes.count) bytes, at most \(RegistryLimits.commandBytes) are read")
    }
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: 8)
    } catch {
      throw .malformed("byte \(error.position): \(error.reason.expectation)")
    }
    let reader = RegistryCommandReader(document: document)
    let kind = try reader.text("kind", bytesMax: RegistryLimits.nameBytes)
    self.init(
      id: try reader.text("id", bytesMax: RegistryLimits.nameBytes),
      actor: try reader.text("actor", bytesMax: RegistryLimits.textBytes),
      reason: try reader.text("reason", bytesMax: RegistryLimits.textBytes), change: try reader.change(kind))
  }
}

extension Rollout {
  init(_ document: JSONDocument) throws(RegistryCommandFault) {
    self = try RegistryCommandReader(document: document).rollout()
  }
}

/// Members of a JSON object with their types and limits checked.
struct RegistryCommandReader {
  let document: JSONDocument

  func change(_ kind: String) throws(RegistryCommandFault) -> RegistryCommand.Change {
    switch kind {
    case "add_version": return .addVersion(try version(of: try modelName()))
    case "set_alias":
      return .setAlias(
        model: try modelName(), alias: try aliasName(), version: try optionalVersion("version"),
        expected: try optionalVersion("expected"))
    case "start_rollout":
      guard let rollout = document["rollout"] else { throw .malformed("`rollout` is missing") }
      return .startRollout(
        model: try modelName(), alias: try aliasName(), rollout: try Rollout(rollout),
        expected: try versionNumber("expected"))
    case "end_rollout":
      return .endRollout(
        model: try modelName(), alias: try aliasName(), version: try versionNumber("version"),
        verdict: try choice("verdict"), expected: try versionNumber("expected"))
    case "start_run": return .startRun(try inside("run").run())
    case "finish_run": return .finishRun(id: try name("run_id"), result: try runResult())
    case "request_approval": return .requestApproval(try inside("approval").approval())
    case "decide_approval": return .decideApproval(id: try name("approval_id"), verdict: try choice("verdict"))
    case "open_retraining": return .openRetraining(try inside("retraining").retraining())
    case "advance_retraining":
      return .advanceRetraining(
        id: try name("retraining_id"), from: try choice("from"), to: try choice("to"),
        note: try text("note", bytesMax: RegistryLimits.textBytes), evidence: try jsonText("evidence"))
    case "claim_retraining":
      return .claimRetraining(
        id: try name("retraining_id"), worker: try text("worker", bytesMax: RegistryLimits.textBytes),
        untilMilliseconds: try milliseconds("until_ms"),
        expectedWorker: try optionalText("expected_worker", bytesMax: RegistryLimits.textBytes))
    case "set_sampling":
      let perMille = document["per_mille"]?.isNull == true ? nil : try integer("per_mille", in: 1...999)
      let expected =
        document["expected_offset"]?.isNull == true ? nil : Int64(try integer("expected_offset", in: 0...Int.max))
      return .setSampling(
        Sampling(
          topology: try name("topology"), model: try name("model"), perMille: perMille,
          untilMilliseconds: try milliseconds("until_ms")), expected: expected)
    default: throw .unknownKind(kind)
    }
  }

  private func version(of model: String) throws(RegistryCommandFault) -> ModelVersion {
    let hash = try text("content_hash", bytesMax: 64)
    guard ModelFileStore.isContentHash(hash) else { throw .malformed("`content_hash` is no SHA-256 in hexadecimal") }
    return ModelVersion(
      model: model, number: try versionNumber("version"), contentHash: hash,
      format: try text("format", bytesMax: RegistryLimits.nameBytes),
      summary: try text("summary", bytesMax: RegistryLimits.textBytes),
      featureCount: try integer("feature_count", in: 0...RegistryLimits.features),
      featureNames: try texts("feature_names", countMax: RegistryLimits.features),
      outputCount: try integer("output_count", in: 1...RegistryLimits.features),
      addedAtMilliseconds: try milliseconds("added_at_ms"),
      addedBy: try text("added_by", bytesMax: RegistryLimits.textBytes),
      note: try text("note", bytesMax: RegistryLimits.textBytes), lineage: try lineage())
  }

  func rollout() throws(RegistryCommandFault) -> Rollout {
    guard case .array(let elements) = document["gates"]?.content, elements.count <= RegistryLimits.rolloutParts else {
      throw .malformed("`gates` must be an array of at most \(RegistryLimits.rolloutParts)")
    }
    var gates: [RolloutGate] = []
    for element in elements {
      let gate = Self(document: element)
      gates.append(
        RolloutGate(
          metric: try gate.choice("metric"), atMost: try gate.number("at_most"),
          predictionsMin: try gate.integer("predictions_min", in: 0...Int.max)))
    }
    return Rollout(
      kind: try choice("kind"), version: try versionNumber("version"),
      sharePerMille: try integer("share_per_mille", in: 0...1_000),
      salt: try text("salt", bytesMax: RegistryLimits.nameBytes),
      segments: try texts("segments", countMax: RegistryLimits.rolloutParts), gates: gates,
      decides: try choice("decides"))
  }

  // MARK: Single members

  private func modelName() throws(RegistryCommandFault) -> String { try name("model") }

  /// Of a model, a run, an approval, a retraining, a policy.
  func name(_ member: String) throws(RegistryCommandFault) -> String {
    let name = try text(member, bytesMax: RegistryLimits.nameBytes)
    guard RegistryLimits.isModelName(name) else { throw .malformed("`\(member)` is no name") }
    return name
  }

  func aliasName() throws(RegistryCommandFault) -> String {
    let name = try text("alias", bytesMax: RegistryLimits.nameBytes)
    guard RegistryLimits.isAliasName(name) else { throw .malformed("`alias` is no name of an alias") }
    return name
  }

  func text(_ name: String, bytesMax: Int) throws(RegistryCommandFault) -> String {
    guard let text = document[name]?.string else { throw .malformed("`\(name)` must be a string") }
    guard text.utf8.count <= bytesMax else { throw .malformed("`\(name)` has more than \(bytesMax) bytes") }
    return text
  }

  func texts(_ name: String, countMax: Int) throws(RegistryCommandFault) -> [String] {
    guard case .array(let elements) = document[name]?.content, elements.count <= countMax else {
      throw .malformed("`\(name)` must be an array of at most \(countMax)")
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.string, text.utf8.count <= RegistryLimits.textBytes else {
        throw .malformed("`\(name)` must be an array of strings")
      }
      texts.append(text)
    }
    return texts
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(RegistryCommandFault) -> Int {
    guard let value = document[name]?.integer.flatMap({ Int(exactly: $0) }), range.contains(value) else {
      throw .malformed("`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func versionNumber(_ name: String) throws(RegistryCommandFault) -> Int {
    try integer(name, in: 1...RegistryLimits.versions)
  }

  private func optionalVersion(_ name: String) throws(RegistryCommandFault) -> Int? {
    if document[name]?.isNull == true { return nil }
    return try versionNumber(name)
  }

  func milliseconds(_ name: String) throws(RegistryCommandFault) -> Int64 {
    Int64(try integer(name, in: 0...Int.max))
  }

  func number(_ name: String) throws(RegistryCommandFault) -> Double {
    guard case .number(let text) = document[name]?.content, let value = Double(text), value.isFinite else {
      throw .malformed("`\(name)` must be a number")
    }
    return value
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String
  ) throws(RegistryCommandFault) -> Choice {
    guard let choice = document[name]?.string.flatMap({ Choice(rawValue: $0) }) else {
      throw .malformed("`\(name)` must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }
}
