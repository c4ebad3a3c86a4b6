internal import Core
internal import GRDB

/// Rows of the registry's tables to its state and back.
enum RegistryRows {
  // MARK: The log

  /// - Parameter command: nil for a record that holds none that is known.
  static func insert(
    _ record: RegistryDatabase.Record, _ command: RegistryCommand?, outcome: String, _ database: Database
  ) throws {
    try insert(
      "INSERT INTO command (offset, time_ms, id, actor, reason, outcome, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [
        record.offset, record.timeMilliseconds, command?.id ?? "", command?.actor ?? "", command?.reason ?? "",
        outcome, String(decoding: record.json, as: UTF8.self),
      ], database)
  }

  /// Whether the record is here as it is there.
  static func holds(_ record: RegistryDatabase.Record, _ database: Database) throws -> Bool {
    let json = try String.fetchOne(
      database.cachedStatement(sql: "SELECT json FROM command WHERE offset = ?"), arguments: [record.offset])
    return json == String(decoding: record.json, as: UTF8.self)
  }

  /// Of the newest record; -1 when there is none.
  static func offset(_ database: Database) throws -> Int64 {
    try Int64.fetchOne(database, sql: "SELECT max(offset) FROM command") ?? -1
  }

  static func records(
    _ database: Database, after offset: Int64, countMax: Int
  ) throws -> [RegistryDatabase.Record] {
    let rows = try Row.fetchAll(
      database, sql: "SELECT offset, time_ms, json FROM command WHERE offset > ? ORDER BY offset LIMIT ?",
      arguments: [offset, countMax])
    return try rows.map { row in
      RegistryDatabase.Record(
        offset: try row.decode(forColumn: "offset"), timeMilliseconds: try row.decode(forColumn: "time_ms"),
        json: Array((try row.decode(String.self, forColumn: "json")).utf8))
    }
  }

  /// Makes what follows from the log again, out of the log; the tables are empty.
  static func followAgain(_ database: Database) throws {
    var state = RegistryState()
    while case let page = try records(database, after: state.offset, countMax: 1_000), !page.isEmpty {
      for record in page {
        let before = state
        let (command, outcome) = state.follow(record)
        try database.cachedStatement(
          sql: "UPDATE command SET id = ?, actor = ?, reason = ?, outcome = ? WHERE offset = ?"
        ).execute(arguments: [command?.id ?? "", command?.actor ?? "", command?.reason ?? "", outcome, record.offset])
        if let command { try write(command.subject, before: before, after: state, database) }
      }
    }
  }

  // MARK: What follows from it

  /// Writes what a command changed.
  static func write(
    _ subject: RegistrySubject, before: RegistryState, after: RegistryState, _ database: Database
  ) throws {
    switch subject {
    case .model(let name): try writeModel(name, before: before, after: after, database)
    case .run(let id): try write(after.runs[id], before: before.runs[id], database)
    case .approval(let id): try write(after.approvals[id], before: before.approvals[id], database)
    // They are told by the log alone.
    case .sampling: break
    case .retraining(let id): try write(after.retrainings[id], before: before.retrainings[id], database)
    }
  }

  /// Histories only grow, but for rollouts that end.
  private static func writeModel(
    _ name: String, before: RegistryState, after: RegistryState, _ database: Database
  ) throws {
    guard let model = after[name] else { return }
    let former = before[name]
    for version in model.versions.dropFirst(former?.versions.count ?? 0) { try insert(version, database) }
    for (name, alias) in model.aliases {
      let former = former?.aliases[name]
      for change in alias.history.dropFirst(former?.history.count ?? 0) {
        try insert(
          "INSERT INTO alias (model, name, command, version) VALUES (?, ?, ?, ?)",
          [model.name, name, change.entry.offset, change.version], database)
      }
      let formerRollouts = former?.rolloutHistory ?? []
      for (index, record) in alias.rolloutHistory.enumerated() {
        guard !formerRollouts.indices.contains(index) || formerRollouts[index].ended != record.ended else { continue }
        try insert(
          """
          INSERT INTO rollout (model, alias, command, json, ended, verdict) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT DO UPDATE SET ended = excluded.ended, verdict = excluded.verdict
          """,
          [
            model.name, name, record.began.offset, text { record.rollout.write(to: &$0) }, record.ended?.offset,
            record.verdict?.rawValue,
          ], database)
      }
    }
  }

  private static func insert(_ version: RegisteredModel.Version, _ database: Database) throws {
    let model = version.version
    try insert(
      """
      INSERT INTO version (model, number, content_hash, format, summary, feature_count, feature_names, output_count,
        added_at_ms, added_by, note, lineage, command) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        model.model, model.number, model.contentHash, model.format, model.summary, model.featureCount,
        text { json in json.array { names in for name in model.featureNames { names.string(name) } } },
        model.outputCount, model.addedAtMilliseconds, model.addedBy, model.note,
        model.lineage.map { lineage in text { json in json.object { lineage.writeMembers(to: &$0) } } },
        version.entry.offset,
      ], database)
  }

  static func insert(
    _ sql: String, _ arguments: [(any DatabaseValueConvertible)?], _ database: Database
  ) throws {
    try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
  }

  static func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  // MARK: Back

  static func state(_ database: Database) throws -> RegistryState {
    var models: [String: RegisteredModel] = [:]
    let versions = try Row.fetchCursor(
      database, sql: "SELECT * FROM version JOIN command ON command = offset ORDER BY model, number")
    while let row = try versions.next() {
      let version = try version(row)
      models[version.model, default: RegisteredModel(name: version.model)].versions.append(
        .init(version: version, entry: try entry(row)))
    }
    let aliases = try Row.fetchCursor(
      database, sql: "SELECT * FROM alias JOIN command ON command = offset ORDER BY model, name, command")
    while let row = try aliases.next() {
      let (model, name): (String, String) = (try row.decode(forColumn: "model"), try row.decode(forColumn: "name"))
      models[model]?.aliases[name, default: RegisteredAlias(name: name)].history.append(
        .init(version: try row.decode(Int?.self, forColumn: "version"), entry: try entry(row)))
    }
    let entries = try entries(database)
    let rollouts = try Row.fetchCursor(
      database, sql: "SELECT * FROM rollout JOIN command ON command = offset ORDER BY model, alias, command")
    while let row = try rollouts.next() {
      let (model, alias): (String, String) = (try row.decode(forColumn: "model"), try row.decode(forColumn: "alias"))
      let document = try JSONDocument(Array((try row.decode(String.self, forColumn: "json")).utf8), depthMax: 8)
      models[model]?.aliases[alias]?.rolloutHistory.append(
        .init(
          rollout: try Rollout(document), began: try entry(row),
          ended: try row.decode(Int64?.self, forColumn: "ended").flatMap { entries[$0] },
          verdict: try row.decode(String?.self, forColumn: "verdict").flatMap { RolloutVerdict(rawValue: $0) }))
    }
    var state = RegistryState()
    state.models = models
    state.runs = try runs(database, entries)
    state.approvals = try approvals(database, entries)
    state.retrainings = try retrainings(database, entries)
    state.samplings = try samplings(database)
    state.offset = try offset(database)
    return state
  }

  private static func samplings(_ database: Database) throws -> [String: [RegisteredSampling]] {
    var samplings: [String: [RegisteredSampling]] = [:]
    let rows = try Row.fetchCursor(
      database,
      sql: "SELECT * FROM command WHERE outcome = 'applied' AND json LIKE '%\"set_sampling\"%' ORDER BY offset")
    while let row = try rows.next() {
      let command = try RegistryCommand(json: Array((try row.decode(String.self, forColumn: "json")).utf8))
      guard case .setSampling(let sampling, _) = command.change else { continue }
      let entry = RegistryEntry(
        commandID: command.id, actor: command.actor, reason: command.reason,
        offset: try row.decode(forColumn: "offset"), timeMilliseconds: try row.decode(forColumn: "time_ms"))
      samplings[sampling.key, default: []].append(RegisteredSampling(sampling: sampling, entry: entry))
    }
    return samplings
  }

  private static func version(_ row: Row) throws -> ModelVersion {
    let names = try JSONDocument(Array((try row.decode(String.self, forColumn: "feature_names")).utf8), depthMax: 8)
    var featureNames: [String] = []
    if case .array(let elements) = names.content { featureNames = elements.compactMap(\.string) }
    return ModelVersion(
      model: try row.decode(forColumn: "model"), number: try row.decode(forColumn: "number"),
      contentHash: try row.decode(forColumn: "content_hash"), format: try row.decode(forColumn: "format"),
      summary: try row.decode(forColumn: "summary"), featureCount: try row.decode(forColumn: "feature_count"),
      featureNames: featureNames, outputCount: try row.decode(forColumn: "output_count"),
      addedAtMilliseconds: try row.decode(forColumn: "added_at_ms"), addedBy: try row.decode(forColumn: "added_by"),
      note: try row.decode(forColumn: "note"),
      lineage: try row.decode(String?.self, forColumn: "lineage").map {
        try RegistryCommandReader(document: try JSONDocument(Array($0.utf8), depthMax: 8)).versionLineage()
      })
  }

  static func entry(_ row: Row) throws -> RegistryEntry {
    RegistryEntry(
      commandID: try row.decode(forColumn: "id"), actor: try row.decode(forColumn: "actor"),
      reason: try row.decode(forColumn: "reason"), offset: try row.decode(forColumn: "offset"),
      timeMilliseconds: try row.decode(forColumn: "time_ms"))
  }

  /// Of the commands that ended, decided or claimed something.
  private static func entries(_ database: Database) throws -> [Int64: RegistryEntry] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT * FROM command WHERE offset IN (
          SELECT ended FROM rollout UNION SELECT finished FROM run UNION SELECT decided FROM approval
          UNION SELECT claimed FROM retraining)
        """)
    var entries: [Int64: RegistryEntry] = [:]
    while let row = try rows.next() {
      let entry = try entry(row)
      entries[entry.offset] = entry
    }
    return entries
  }
}
