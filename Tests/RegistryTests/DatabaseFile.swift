import GRDB
import Registry

/// The registry's file as SQLite sees it, without the code that keeps it.
enum DatabaseFile {
  /// Every row of every table, as text.
  static func dump(_ path: String) throws -> String {
    try DatabaseQueue(path: path).read { database in
      var lines: [String] = []
      let tables = try Row.fetchAll(
        database, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
      for table in tables {
        let name: String = table["name"]
        lines.append("\(name): \(table["sql"] as String)")
        let columns = try database.columns(in: name).map { "quote(\"\($0.name)\")" }
        let rows = try String.fetchAll(
          database, sql: "SELECT \(columns.joined(separator: " || ',' || ")) AS line FROM \"\(name)\" ORDER BY line")
        lines += rows
      }
      return lines.joined(separator: "\n")
    }
  }

  /// Makes it what the program of format 1 would have made of the same log: it knew no runs and no lineage.
  static func makeFormat1(_ path: String) throws {
    try DatabaseQueue(path: path).write { database in
      try database.execute(
        sql: """
          DROP TABLE run_metric; DROP TABLE run_artefact; DROP TABLE run; DROP TABLE approval;
          DROP TABLE retraining_step; DROP TABLE retraining;
          ALTER TABLE version DROP COLUMN lineage;
          UPDATE command SET id = '', actor = '', reason = '', outcome = 'skipped'
            WHERE json LIKE '%_run"%' OR json LIKE '%_approval"%' OR json LIKE '%_retraining"%';
          PRAGMA user_version = 1;
          """)
    }
  }
}
