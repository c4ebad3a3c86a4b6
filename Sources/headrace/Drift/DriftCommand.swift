internal import ArgumentParser

struct DriftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift", abstract: "What has changed between two sets of rows, and in what models see.",
    subcommands: [
      DriftCompareCommand.self, DriftReportCommand.self, DriftAlarmsCommand.self, DriftDigestCommand.self,
      DriftSilenceCommand.self, DriftAcknowledgeCommand.self,
    ])
}
