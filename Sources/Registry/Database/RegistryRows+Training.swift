internal import Core
internal import GRDB

/// Rows of runs, approvals and retrainings.
extension RegistryRows {
  static func write(_ run: RegisteredRun?, before: RegisteredRun?, _ database: Database) throws {
    guard let run, run != before else { return }
    let id = run.run.id
    try insert(
      """
      INSERT INTO run (id, experiment, model, trainer, json, command, status, error, finished)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET status = excluded.status, error = excluded.error, finished = excluded.finished
      """,
      [
        id, run.run.experiment, run.run.model, run.run.trainer,
        text { json in json.object { run.run.writeMembers(to: &$0) } }, run.started.offset,
        run.result?.status.rawValue, run.result?.error, run.finished?.offset,
      ], database)
    guard let result = run.result else { return }
    for (place, metric) in result.metrics.enumerated() {
      try insert(
        "INSERT INTO run_metric (run, place, name, value, low, high) VALUES (?, ?, ?, ?, ?, ?)",
        [id, place, metric.name, metric.value, metric.low, metric.high], database)
    }
    for (place, artefact) in result.artefacts.enumerated() {
      try insert(
        "INSERT INTO run_artefact (run, place, name, content_hash, size_bytes) VALUES (?, ?, ?, ?, ?)",
        [id, place, artefact.name, artefact.contentHash, artefact.sizeBytes], database)
    }
  }

  static func write(_ approval: RegisteredApproval?, before: RegisteredApproval?, _ database: Database) throws {
    guard let approval, approval != before else { return }
    let question = approval.approval
    try insert(
      """
      INSERT INTO approval (id, model, version, alias, requested_by, reason, evidence, expires_at_ms, command, verdict,
        decided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET verdict = excluded.verdict, decided = excluded.decided
      """,
      [
        question.id, question.model, question.version, question.alias, question.requestedBy, question.reason,
        question.evidence, question.expiresAtMilliseconds, approval.requested.offset, approval.verdict?.rawValue,
        approval.decided?.offset,
      ], database)
  }

  static func write(
    _ registered: RegisteredRetraining?, before: RegisteredRetraining?, _ database: Database
  ) throws {
    guard let registered, registered != before else { return }
    let retraining = registered.retraining
    try insert(
      """
      INSERT INTO retraining (id, policy, model, cause, opened_by, at_ms, command, worker, lease_until_ms, claimed)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET worker = excluded.worker, lease_until_ms = excluded.lease_until_ms,
        claimed = excluded.claimed
      """,
      [
        retraining.id, retraining.policy, retraining.model, retraining.cause, retraining.openedBy,
        retraining.atMilliseconds, registered.opened.offset, registered.lease?.worker,
        registered.lease?.untilMilliseconds, registered.lease?.entry.offset,
      ], database)
    for (place, step) in registered.steps.enumerated().dropFirst(before?.steps.count ?? 0) {
      try insert(
        "INSERT INTO retraining_step (retraining, place, step, note, evidence, command) VALUES (?, ?, ?, ?, ?, ?)",
        [retraining.id, place, step.step.rawValue, step.note, step.evidence, step.entry.offset], database)
    }
  }

  // MARK: Back

  /// - Parameter entries: of the commands that ended something, by their offset.
  static func runs(
    _ database: Database, _ entries: [Int64: RegistryEntry]
  ) throws -> [String: RegisteredRun] {
    var runs: [String: RegisteredRun] = [:]
    let rows = try Row.fetchCursor(
      database,
      sql: "SELECT run.json AS run, status, error, finished, command.* FROM run JOIN command ON command = offset")
    while let row = try rows.next() {
      let document = try JSONDocument(Array((try row.decode(String.self, forColumn: "run")).utf8), depthMax: 8)
      let run = try RegistryCommandReader(document: document).run()
      var registered = RegisteredRun(run: run, started: try entry(row))
      let status = try row.decode(String?.self, forColumn: "status").flatMap { RunResult.Status(rawValue: $0) }
      if let status {
        registered.result = RunResult(status: status, error: try row.decode(forColumn: "error"))
        registered.finished = try row.decode(Int64?.self, forColumn: "finished").flatMap { entries[$0] }
      }
      runs[run.id] = registered
    }
    let metrics = try Row.fetchCursor(database, sql: "SELECT * FROM run_metric ORDER BY run, place")
    while let row = try metrics.next() {
      runs[try row.decode(forColumn: "run")]?.result?.metrics.append(
        RunMetric(
          name: try row.decode(forColumn: "name"), value: try row.decode(forColumn: "value"),
          low: try row.decode(forColumn: "low"), high: try row.decode(forColumn: "high")))
    }
    let artefacts = try Row.fetchCursor(database, sql: "SELECT * FROM run_artefact ORDER BY run, place")
    while let row = try artefacts.next() {
      runs[try row.decode(forColumn: "run")]?.result?.artefacts.append(
        Artefact(
          name: try row.decode(forColumn: "name"), contentHash: try row.decode(forColumn: "content_hash"),
          sizeBytes: try row.decode(forColumn: "size_bytes")))
    }
    return runs
  }

  static func approvals(
    _ database: Database, _ entries: [Int64: RegistryEntry]
  ) throws -> [String: RegisteredApproval] {
    var approvals: [String: RegisteredApproval] = [:]
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT approval.id AS approval, model, version, alias, requested_by, approval.reason AS question, evidence,
          expires_at_ms, verdict, decided, command.* FROM approval JOIN command ON command = offset
        """)
    while let row = try rows.next() {
      let approval = Approval(
        id: try row.decode(forColumn: "approval"), model: try row.decode(forColumn: "model"),
        version: try row.decode(forColumn: "version"), alias: try row.decode(forColumn: "alias"),
        requestedBy: try row.decode(forColumn: "requested_by"), reason: try row.decode(forColumn: "question"),
        evidence: try row.decode(forColumn: "evidence"),
        expiresAtMilliseconds: try row.decode(forColumn: "expires_at_ms"))
      approvals[approval.id] = RegisteredApproval(
        approval: approval, requested: try entry(row),
        verdict: try row.decode(String?.self, forColumn: "verdict").flatMap { ApprovalVerdict(rawValue: $0) },
        decided: try row.decode(Int64?.self, forColumn: "decided").flatMap { entries[$0] })
    }
    return approvals
  }

  static func retrainings(
    _ database: Database, _ entries: [Int64: RegistryEntry]
  ) throws -> [String: RegisteredRetraining] {
    var retrainings: [String: RegisteredRetraining] = [:]
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT retraining.id AS retraining, policy, model, cause, opened_by, at_ms, worker, lease_until_ms, claimed,
          command.* FROM retraining JOIN command ON command = offset
        """)
    while let row = try rows.next() {
      let retraining = Retraining(
        id: try row.decode(forColumn: "retraining"), policy: try row.decode(forColumn: "policy"),
        model: try row.decode(forColumn: "model"), cause: try row.decode(forColumn: "cause"),
        openedBy: try row.decode(forColumn: "opened_by"), atMilliseconds: try row.decode(forColumn: "at_ms"))
      var registered = RegisteredRetraining(retraining: retraining, opened: try entry(row), steps: [])
      if let worker = try row.decode(String?.self, forColumn: "worker"),
        let until = try row.decode(Int64?.self, forColumn: "lease_until_ms"),
        let claimed = try row.decode(Int64?.self, forColumn: "claimed").flatMap({ entries[$0] })
      {
        registered.lease = .init(worker: worker, untilMilliseconds: until, entry: claimed)
      }
      retrainings[retraining.id] = registered
    }
    let steps = try Row.fetchCursor(
      database,
      sql: "SELECT * FROM retraining_step JOIN command ON command = offset ORDER BY retraining, place")
    while let row = try steps.next() {
      guard let step = RetrainingStep(rawValue: try row.decode(forColumn: "step")) else { continue }
      retrainings[try row.decode(forColumn: "retraining")]?.steps.append(
        .init(
          step: step, note: try row.decode(forColumn: "note"), evidence: try row.decode(forColumn: "evidence"),
          entry: try entry(row)))
    }
    return retrainings
  }
}
