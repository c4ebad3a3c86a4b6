package import Core
internal import GRDB
internal import Synchronization

/// The registry on the disk: the commands, and what follows from them, in one SQLite file.
///
/// A command, its consequences and the offset behind it are one transaction. So a process that dies anywhere leaves the
/// state before a command or the state behind it.
///
/// The file keeps SQLite's rollback journal, not its write-ahead log: several processes write here in turn (`models
/// add` beside a server), and up to 3.51.2 SQLite may lose a commit when two connections work on one write-ahead log
/// (https://www.sqlite.org/wal.html#walresetbug). Writes are few and readers hold no lock between two reads.
///
/// Calls block; any thread may make them.
package final class RegistryDatabase: Sendable {
  /// Of a log that is kept here and nowhere else, or a copy of one that is kept elsewhere.
  package struct Record: Sendable, Hashable {
    package var offset: Int64
    package var timeMilliseconds: Int64
    package var json: [UInt8]

    package init(offset: Int64, timeMilliseconds: Int64, json: [UInt8]) {
      self.offset = offset
      self.timeMilliseconds = timeMilliseconds
      self.json = json
    }
  }

  package let path: String
  private let queue: DatabaseQueue
  /// What the file said when it was last read or written here.
  private let known = Mutex(RegistryState())

  /// How long to wait for a writer in another process.
  private static let busySeconds = 10.0

  /// Makes the file if it is missing; its folder must be there.
  ///
  /// - Throws: `REGISTRY_UNREADABLE`, `REGISTRY_TOO_NEW`, `REGISTRY_CORRUPT`.
  package init(path: String) throws(HeadraceError) {
    self.path = path
    var configuration = Configuration()
    configuration.busyMode = .timeout(Self.busySeconds)
    configuration.prepareDatabase { database in
      // A commit is durable when it is reported, the journal's removal included.
      try database.execute(sql: "PRAGMA synchronous = EXTRA")
      try database.execute(sql: "PRAGMA trusted_schema = OFF")
    }
    do {
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.write { database in
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if version == 0 { return try RegistrySchema.create(database) }
        if version < RegistrySchema.version { return try RegistrySchema.migrate(database) }
        guard version == RegistrySchema.version else {
          throw HeadraceError(
            .user, "REGISTRY_TOO_NEW",
            "the registry has format \(version), this program reads up to \(RegistrySchema.version)", place: path,
            remedy: "use the newer program that wrote it")
        }
      }
    } catch {
      throw .registry(error, path)
    }
    _ = try state()
  }

  /// Models, versions and aliases as the file has them now.
  package func state() throws(HeadraceError) -> RegistryState {
    let state = try read { try refreshed($0) }
    known.withLock { $0 = state }
    return state
  }

  /// Changes whenever another process or connection wrote to the file: what to ask often and cheaply.
  package func changeMark() throws(HeadraceError) -> Int64 {
    try read { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
  }

  /// Appends a command to the log that is kept here, and follows it.
  ///
  /// - Parameter command: gets the state that it would change, in the same transaction: numbers and expectations come
  ///   out of there without a race. One that is refused is not kept.
  /// - Returns: what became of it, and the state behind it.
  package func append(
    timeMilliseconds: Int64, _ command: (RegistryState) throws(HeadraceError) -> RegistryCommand
  ) throws(HeadraceError) -> (outcome: RegistryOutcome, state: RegistryState) {
    let result = try write { database, state in
      let before = state
      let command = try command(before)
      let record = Record(
        offset: before.offset + 1, timeMilliseconds: timeMilliseconds, json: command.encoded())
      let outcome = state.apply(command, offset: record.offset, timeMilliseconds: timeMilliseconds)
      guard outcome == .applied else {
        state = before
        return (outcome, before)
      }
      try RegistryRows.insert(record, command, outcome: outcome.code, database)
      RegistryKillPoint.pass(.commandWritten)
      try RegistryRows.write(command.subject, before: before, after: state, database)
      RegistryKillPoint.pass(.beforeCommit)
      return (outcome, state)
    }
    RegistryKillPoint.pass(.afterCommit)
    return result
  }

  /// Follows records of a log that is kept elsewhere, all in one transaction. Those that are here already are passed
  /// over; those that hold no command that this program knows are kept as text, and change nothing.
  ///
  /// - Parameter records: in the order of their offsets.
  package func follow(_ records: [Record]) throws(HeadraceError) {
    try write { database, state in
      for record in records where record.offset > state.offset {
        let before = state
        let (command, outcome) = state.follow(record)
        try RegistryRows.insert(record, command, outcome: outcome, database)
        if let command { try RegistryRows.write(command.subject, before: before, after: state, database) }
      }
    }
  }

  /// The log from behind an offset on.
  package func records(after offset: Int64, countMax: Int = 10_000) throws(HeadraceError) -> [Record] {
    try read { try RegistryRows.records($0, after: offset, countMax: countMax) }
  }

  /// Follows the whole log again, and compares.
  ///
  /// - Throws: `REGISTRY_CORRUPT` when the tables do not say what the log says.
  package func verify() throws(HeadraceError) {
    var rebuilt = RegistryState()
    while case let page = try records(after: rebuilt.offset), !page.isEmpty {
      for record in page { _ = rebuilt.follow(record) }
    }
    guard try read({ try RegistryRows.state($0) }) == rebuilt else {
      throw HeadraceError(
        .external, "REGISTRY_CORRUPT", "the tables of the registry do not say what its commands say", place: path,
        remedy: "restore the file from a copy; somebody else wrote to it")
    }
  }

  // MARK: Transactions

  private func read<Result>(_ body: (Database) throws -> Result) throws(HeadraceError) -> Result {
    do {
      return try queue.read(body)
    } catch {
      throw .registry(error, path)
    }
  }

  private func write<Result>(
    _ body: (Database, inout RegistryState) throws -> Result
  ) throws(HeadraceError) -> Result {
    do {
      let (result, state) = try queue.write { database in
        var state = try refreshed(database)
        return (try body(database, &state), state)
      }
      known.withLock { $0 = state }
      return result
    } catch {
      throw .registry(error, path)
    }
  }

  /// What is known, unless another process has gone on since.
  private func refreshed(_ database: Database) throws -> RegistryState {
    let known = known.withLock { $0 }
    return try RegistryRows.offset(database) == known.offset ? known : RegistryRows.state(database)
  }
}

extension RegistryState {
  /// Follows a record, or passes over one that holds no command that this program knows.
  ///
  /// - Returns: the command, and what became of it in one word.
  mutating func follow(_ record: RegistryDatabase.Record) -> (command: RegistryCommand?, outcome: String) {
    guard let command = try? RegistryCommand(json: record.json) else {
      skip(offset: record.offset)
      return (nil, "skipped")
    }
    let outcome = apply(command, offset: record.offset, timeMilliseconds: record.timeMilliseconds)
    return (command, outcome.code)
  }
}
