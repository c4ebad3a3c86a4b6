internal import Columns
internal import Core
internal import Delta
internal import Glibc
internal import Storage

extension Session {
  /// Commits rows `(app, number)` in a loop, each from where the application is: a process that is killed and started
  /// again goes on, and whoever comes second with the same rows is told so.
  func race() throws(HeadraceError) {
    guard let application = arguments["app"], let commits = try arguments.number("commits") else {
      throw HeadraceError(.user, "USAGE", "race needs --app and --commits")
    }
    let rows = try arguments.number("rows") ?? 3
    var table = try table()
    while case let from = table.snapshot.transactionVersion(application), (from ?? 0) / rows < commits {
      let start = from ?? 0
      let writer = try TableWriter(table)
      var batch = ColumnBatch([.string, .integer])
      for number in start..<(start + rows) {
        batch.columns[0].append(application)
        batch.columns[1].append(number)
        batch.rowCount += 1
      }
      try writer.append(batch, nowMilliseconds: now)
      let files = try writer.finish(nowMilliseconds: now)
      let move = TransactionMove(applicationID: application, from: from, to: start + rows)
      do throws(HeadraceError) {
        _ = try table.commit(.append(files, moves: [move]), nowMilliseconds: now)
      } catch {
        // What became of it the table itself says.
        guard error.retry == .unknownOutcome || error.retry == .sameCall else { throw error }
        table = try self.table()
      }
      if table.isCheckpointDue { try table.checkpoint(nowMilliseconds: now) }
    }
  }

  /// Compacts and checkpoints beside other writers, again and again.
  func tidy() throws(HeadraceError) {
    guard let path = arguments["until"] else { throw HeadraceError(.user, "USAGE", "tidy needs --until") }
    var policy = CompactionPolicy()
    if let bytes = try arguments.number("target-bytes") { policy.targetBytes = bytes }
    var table = try table()
    var count = 0
    while unsafe access(path, F_OK) != 0 {
      do throws(HeadraceError) {
        try table.refresh()
        if case .compacted = try table.compact(policy, nowMilliseconds: now) { count += 1 }
        try table.checkpoint(nowMilliseconds: now)
      } catch {
        guard error.retry == .unknownOutcome || error.retry == .sameCall else { throw error }
        table = try self.table()
      }
    }
    print("compacted \(count)")
  }

  /// Everything that happens to a table, up to a number of commits; whoever is started again goes on. Rows are
  /// `("life", number)`, two a commit.
  func life() throws(HeadraceError) {
    guard let commits = try arguments.number("commits") else {
      throw HeadraceError(.user, "USAGE", "life needs --commits")
    }
    var table = try table()
    while true {
      let from = table.snapshot.transactionVersion("life")
      guard (from ?? 0) / 2 < commits else { break }
      let start = from ?? 0
      let writer = try TableWriter(table)
      var batch = ColumnBatch([.string, .integer])
      for number in [start, start + 1] {
        batch.columns[0].append("life")
        batch.columns[1].append(number)
        batch.rowCount += 1
      }
      try writer.append(batch, nowMilliseconds: now)
      let move = TransactionMove(applicationID: "life", from: from, to: start + 2)
      let files = try writer.finish(nowMilliseconds: now)
      _ = try table.commit(.append(files, moves: [move]), nowMilliseconds: now)
      guard table.snapshot.version % 3 == 0 else { continue }
      _ = try table.compact(nowMilliseconds: now)
      try table.checkpoint(nowMilliseconds: now)
      // The table's own retentions decide: the harness makes them short.
      _ = try table.cleanUpLog(nowMilliseconds: now, pinnedVersions: pins)
      var policy = VacuumPolicy()
      policy.pinnedVersions = pins
      _ = try table.vacuum(policy, nowMilliseconds: now)
    }
  }

  /// Appends of `rows` rows of id, key, value and time, timed one by one from the rows in memory to the commit.
  func bench() throws(HeadraceError) {
    let commits = try arguments.number("commits") ?? 100
    let rows = try arguments.number("rows") ?? 50_000
    var random = SplitMix64(seed: 7)
    var table = try DeltaTable.create(
      store, root,
      schema: try DeltaSchema([
        DeltaField("id", .long), DeltaField("key", .string), DeltaField("value", .double), DeltaField("ts", .timestamp),
      ]), nowMilliseconds: now)
    for commit in 0..<commits {
      var batch = ColumnBatch([.integer, .string, .double, .timestamp])
      for row in 0..<rows {
        batch.columns[0].append(commit * rows + row)
        batch.columns[1].append("key-\(Int64.random(in: 0..<5_000, using: &random))")
        batch.columns[2].append(Double.random(in: 0..<1_000, using: &random))
        batch.columns[3].append(1_700_000_000_000_000 + (commit * rows + row) * 1_000)
      }
      batch.rowCount = Int(rows)
      let begun = ContinuousClock.now
      let writer = try TableWriter(table)
      try writer.append(batch, nowMilliseconds: now)
      let files = try writer.finish(nowMilliseconds: now)
      let move = TransactionMove(applicationID: "bench", from: commit == 0 ? nil : commit, to: commit + 1)
      guard case .committed = try table.commit(.append(files, moves: [move]), nowMilliseconds: now) else { return }
      print("append \(Self.milliseconds(begun))")
    }
    for _ in 0..<10 {
      let begun = ContinuousClock.now
      _ = try self.table()
      print("open \(Self.milliseconds(begun))")
    }
    let begun = ContinuousClock.now
    _ = try table.compact(nowMilliseconds: now)
    print("compact \(Self.milliseconds(begun))")
  }

  private static func milliseconds(_ begun: ContinuousClock.Instant) -> Double {
    let time = begun.duration(to: .now).components
    return Double(time.seconds) * 1_000 + Double(time.attoseconds / 1_000_000_000_000) / 1_000
  }
}
