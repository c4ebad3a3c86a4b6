internal import GRDB

/// The tables of the registry's database.
///
/// `command` is the log, or the copy of it: everything else follows from its rows. The other tables hold what follows,
/// for whoever opens the file with SQL; an entry is told by the offset of the command that made it.
enum RegistrySchema {
  /// `user_version` of the file. It grows whenever a program learns a kind of command as well: an older one may have
  /// kept such commands and passed over them.
  static let version = 3
  /// `application_id` of the file: "HeRg".
  static let applicationID = 0x4865_5267

  static func create(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE command (
          offset INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, id TEXT NOT NULL, actor TEXT NOT NULL,
          reason TEXT NOT NULL, outcome TEXT NOT NULL, json TEXT NOT NULL) STRICT;
        CREATE INDEX command_id ON command (id);
        """)
    try createViewTable(database)
    try createTables(database)
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(version)")
  }

  /// Brings the file of an older program up to date: the log stays, what follows from it is made again.
  static func migrate(_ database: Database) throws {
    for table in tables { try database.execute(sql: "DROP TABLE IF EXISTS \(table)") }
    try createTables(database)
    try createViewTable(database)
    try RegistryRows.followAgain(database)
    try database.execute(sql: "PRAGMA user_version = \(version)")
  }

  /// Tables of what follows from the log, those last that others refer to.
  private static let tables = [
    "version", "alias", "rollout", "run_metric", "run_artefact", "run", "approval", "retraining_step", "retraining",
  ]

  /// Takes everything out, the log included.
  static func empty(_ database: Database) throws {
    for table in tables + ["view", "command"] { try database.execute(sql: "DELETE FROM \(table)") }
  }

  /// How far those have read the log that make something else of it.
  private static func createViewTable(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS view (name TEXT PRIMARY KEY, offset INTEGER NOT NULL) STRICT, WITHOUT ROWID
        """)
  }

  private static func createTables(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE version (
          model TEXT NOT NULL, number INTEGER NOT NULL, content_hash TEXT NOT NULL, format TEXT NOT NULL,
          summary TEXT NOT NULL, feature_count INTEGER NOT NULL, feature_names TEXT NOT NULL,
          output_count INTEGER NOT NULL, added_at_ms INTEGER NOT NULL, added_by TEXT NOT NULL, note TEXT NOT NULL,
          lineage TEXT, command INTEGER NOT NULL REFERENCES command, PRIMARY KEY (model, number))
          STRICT, WITHOUT ROWID;
        CREATE TABLE alias (
          model TEXT NOT NULL, name TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command, version INTEGER,
          PRIMARY KEY (model, name, command)) STRICT, WITHOUT ROWID;
        CREATE TABLE rollout (
          model TEXT NOT NULL, alias TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command, json TEXT NOT NULL,
          ended INTEGER REFERENCES command, verdict TEXT, PRIMARY KEY (model, alias, command)) STRICT, WITHOUT ROWID;
        CREATE TABLE run (
          id TEXT PRIMARY KEY, experiment TEXT NOT NULL, model TEXT NOT NULL, trainer TEXT NOT NULL,
          json TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command, status TEXT, error TEXT,
          finished INTEGER REFERENCES command) STRICT, WITHOUT ROWID;
        CREATE INDEX run_experiment ON run (experiment);
        CREATE TABLE run_metric (
          run TEXT NOT NULL REFERENCES run, place INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, low REAL,
          high REAL, PRIMARY KEY (run, place)) STRICT, WITHOUT ROWID;
        CREATE TABLE run_artefact (
          run TEXT NOT NULL REFERENCES run, place INTEGER NOT NULL, name TEXT NOT NULL, content_hash TEXT NOT NULL,
          size_bytes INTEGER NOT NULL, PRIMARY KEY (run, place)) STRICT, WITHOUT ROWID;
        CREATE TABLE approval (
          id TEXT PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL, alias TEXT NOT NULL,
          requested_by TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
          command INTEGER NOT NULL REFERENCES command, verdict TEXT, decided INTEGER REFERENCES command)
          STRICT, WITHOUT ROWID;
        CREATE TABLE retraining (
          id TEXT PRIMARY KEY, policy TEXT NOT NULL, model TEXT NOT NULL, cause TEXT NOT NULL, opened_by TEXT NOT NULL,
          at_ms INTEGER NOT NULL, command INTEGER NOT NULL REFERENCES command, worker TEXT, lease_until_ms INTEGER,
          claimed INTEGER REFERENCES command) STRICT, WITHOUT ROWID;
        CREATE TABLE retraining_step (
          retraining TEXT NOT NULL REFERENCES retraining, place INTEGER NOT NULL, step TEXT NOT NULL,
          note TEXT NOT NULL, evidence TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command,
          PRIMARY KEY (retraining, place)) STRICT, WITHOUT ROWID;
        """)
  }
}
