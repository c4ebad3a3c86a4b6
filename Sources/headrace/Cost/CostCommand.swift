internal import ArgumentParser

struct CostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cost", abstract: "What a topology costs, by operator, view, model, source, table and tenant.",
    subcommands: [CostReportCommand.self, CostExportCommand.self])
}
