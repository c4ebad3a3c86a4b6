internal import GRDB

/// The tables of the registry's database.
///
/// `command` is the log, or the copy of it: everything else follows from its rows. The other tables hold what follows,
/// for whoever opens the file with SQL; an entry is told by the offset of the command that made it.
enum RegistrySchema {
  /// `user_version` of the file.
  static let version = 1
  /// `application_id` of the file: "HeRg".
  static let applicationID = 0x4865_5267

  static func create(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE command (
          offset INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, id TEXT NOT NULL, actor TEXT NOT NULL,
          reason TEXT NOT NULL, outcome TEXT NOT NULL, json TEXT NOT NULL) STRICT;
        CREATE INDEX command_id ON command (id);
        CREATE TABLE version (
          model TEXT NOT NULL, number INTEGER NOT NULL, content_hash TEXT NOT NULL, format TEXT NOT NULL,
          summary TEXT NOT NULL, feature_count INTEGER NOT NULL, feature_names TEXT NOT NULL,
          output_count INTEGER NOT NULL, added_at_ms INTEGER NOT NULL, added_by TEXT NOT NULL, note TEXT NOT NULL,
          command INTEGER NOT NULL REFERENCES command, PRIMARY KEY (model, number)) STRICT, WITHOUT ROWID;
        CREATE TABLE alias (
          model TEXT NOT NULL, name TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command, version INTEGER,
          PRIMARY KEY (model, name, command)) STRICT, WITHOUT ROWID;
        CREATE TABLE rollout (
          model TEXT NOT NULL, alias TEXT NOT NULL, command INTEGER NOT NULL REFERENCES command, json TEXT NOT NULL,
          ended INTEGER REFERENCES command, verdict TEXT, PRIMARY KEY (model, alias, command)) STRICT, WITHOUT ROWID;
        """)
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(version)")
  }
}
