internal import ArgumentParser

struct TablesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables", abstract: "Delta tables: what is in them, what happened to them, and their upkeep.",
    subcommands: [
      TablesListCommand.self, TablesShowCommand.self, TablesHistoryCommand.self, TablesCompactCommand.self,
      TablesVacuumCommand.self,
    ],
    defaultSubcommand: TablesListCommand.self)
}
