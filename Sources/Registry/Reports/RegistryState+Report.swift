package import Core

// The registry as JSON: the same on the command line and over HTTP.

extension RegistryState {
  /// A model: its aliases, versions, who served when, and the questions about it.
  package func write(_ model: RegisteredModel, to json: inout JSONWriter) {
    json.object { json in
      json.member("model", model.name)
      model.writeAliases(to: &json)
      json.key("versions")
      json.array { array in
        for entry in model.versions { array.object { entry.version.writeMembers(to: &$0) } }
      }
      json.key("history")
      json.array { array in
        for (alias, change) in model.changes {
          array.object { json in
            json.member("alias", alias)
            json.member("version", change.version)
            json.member("since", RFC3339.text(milliseconds: change.entry.timeMilliseconds))
            json.member("by", change.entry.actor)
            json.member("reason", change.entry.reason)
            json.member("offset", change.entry.offset)
          }
        }
      }
      writeStory(of: model, version: nil, to: &json)
    }
  }

  /// A version: code, data, features and metrics of it, who approved it, when it served.
  package func write(_ version: RegisteredModel.Version, of model: RegisteredModel, to json: inout JSONWriter) {
    json.object { json in
      json.member("model", model.name)
      version.version.writeMembers(to: &json)
      json.key("aliases")
      json.array { array in
        for alias in model.standingAliases where alias.version == version.version.number { array.string(alias.name) }
      }
      json.key("run")
      if let run = version.version.lineage?.runID.flatMap({ runs[$0] }) { run.write(to: &json) } else { json.null() }
      writeStory(of: model, version: version.version.number, to: &json)
    }
  }

  private func writeStory(of model: RegisteredModel, version: Int?, to json: inout JSONWriter) {
    json.key("approvals")
    json.array { array in
      for approval in approvals(model: model.name, version: version) { approval.write(to: &array) }
    }
    json.key("served")
    json.array { array in for period in model.servedPeriods(version: version) { period.write(to: &array) } }
  }
}

extension RegisteredModel {
  /// A line of a list.
  package func writeSummary(to json: inout JSONWriter) {
    json.object { json in
      json.member("model", name)
      json.member("versions", versions.count)
      writeAliases(to: &json)
      if let newest {
        json.key("newest")
        json.object { newest.writeMembers(to: &$0) }
      }
    }
  }

  fileprivate func writeAliases(to json: inout JSONWriter) {
    json.key("aliases")
    json.object { json in for alias in standingAliases { json.member(alias.name, alias.version) } }
  }

  /// Aliases that stand for something, by name.
  package var standingAliases: [(name: String, version: Int)] {
    aliases.values.sorted { $0.name < $1.name }.compactMap { alias in alias.version.map { (alias.name, $0) } }
  }

  /// Of all aliases, oldest first.
  package var changes: [(alias: String, change: RegisteredAlias.Change)] {
    aliases.values.flatMap { alias in alias.history.map { (alias.name, $0) } }
      .sorted { $0.1.entry.offset < $1.1.entry.offset }
  }
}

extension ServedPeriod {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("alias", alias)
      json.member("version", version)
      json.member("role", role)
      if let rollout, rollout.answers { json.member("share_per_mille", rollout.sharePerMille) }
      began.write(as: "began", to: &json)
      ended.write(as: "ended", to: &json)
      if rollout != nil { json.member("verdict", verdict?.rawValue) }
    }
  }
}

extension RegisteredRun {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      run.writeMembers(to: &json)
      started.write(as: "started", to: &json)
      if let result {
        result.writeMembers(to: &json)
      } else {
        json.member("status", "running")
      }
      finished.write(as: "finished", to: &json)
    }
  }
}

extension RegisteredApproval {
  /// `pending`, or the verdict.
  package var status: String { verdict?.rawValue ?? "pending" }

  package func write(to json: inout JSONWriter) {
    json.object { json in
      approval.writeMembers(to: &json)
      json.key("evidence")
      json.embed(approval.evidence)
      json.member("status", status)
      requested.write(as: "requested", to: &json)
      decided.write(as: "decided", to: &json)
    }
  }
}

extension RegistryState {
  /// The number of the version that a retraining has made; nil: none yet.
  package func version(madeBy retraining: RegisteredRetraining) -> Int? {
    let id = retraining.retraining.id
    return self[retraining.retraining.model]?.versions.first { $0.version.lineage?.runID == id }?.version.number
  }

  /// One retraining for programs: the command line and HTTP say the same.
  package func write(_ retraining: RegisteredRetraining, to json: inout JSONWriter) {
    retraining.write(version: version(madeBy: retraining), to: &json)
  }
}

extension RegisteredRetraining {
  fileprivate func write(version: Int?, to json: inout JSONWriter) {
    json.object { json in
      retraining.writeMembers(to: &json)
      opened.write(as: "opened", to: &json)
      json.key("cause")
      json.embed(retraining.cause)
      json.member("step", step.rawValue)
      json.member("open", isOpen)
      json.member("version", version)
      json.key("steps")
      json.array { array in
        for step in steps {
          array.object { json in
            json.member("step", step.step.rawValue)
            json.member("note", step.note)
            json.key("evidence")
            json.embed(step.evidence)
            step.entry.write(as: "entered", to: &json)
          }
        }
      }
      json.key("lease")
      if let lease {
        json.object { json in
          json.member("worker", lease.worker)
          json.member("until", RFC3339.text(milliseconds: lease.untilMilliseconds))
        }
      } else {
        json.null()
      }
    }
  }
}

extension RegistryEntry? {
  /// Who, when, why and at which offset; or null.
  fileprivate func write(as name: String, to json: inout JSONWriter) {
    json.key(name)
    guard let self else { return json.null() }
    json.object { json in
      json.member("at", RFC3339.text(milliseconds: self.timeMilliseconds))
      json.member("by", self.actor)
      json.member("reason", self.reason)
      json.member("offset", self.offset)
    }
  }
}

extension RegistryEntry {
  fileprivate func write(as name: String, to json: inout JSONWriter) { Optional(self).write(as: name, to: &json) }
}

extension JSONWriter {
  /// A JSON value that is text, and was checked when its command was read; nothing is null.
  fileprivate mutating func embed(_ json: String) {
    if json.isEmpty { null() } else { raw(json.utf8) }
  }
}
