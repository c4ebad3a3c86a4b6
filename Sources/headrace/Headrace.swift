internal import ArgumentParser

struct Headrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "headrace",
    abstract: "Kafka events to features to predictions.",
    discussion: """
      Data goes to stdout, everything else to stderr.

      \(ExitStatus.help)
      """,
    version: Version.current,
    groupedSubcommands: [
      CommandGroup(
        name: "Topologies",
        subcommands: [
          DevCommand.self, RunCommand.self, PlanCommand.self, ApplyCommand.self, TestCommand.self, QueryCommand.self,
          DemoCommand.self,
        ]),
      CommandGroup(
        name: "Models", subcommands: [ModelsCommand.self, ServeCommand.self, ScoreCommand.self, CorrectCommand.self]),
      CommandGroup(
        name: "Training",
        subcommands: [
          DatasetCommand.self, TrainCommand.self, RetrainCommand.self, TablesCommand.self, VerifyCommand.self,
        ]),
      CommandGroup(name: "Monitoring", subcommands: [DriftCommand.self]),
      CommandGroup(
        name: "The log",
        subcommands: [
          BrokerCommand.self, TopicsCommand.self, PublishCommand.self, ConsumeCommand.self, ReplayCommand.self,
          GenerateCommand.self,
        ]),
      CommandGroup(name: "Watching", subcommands: [CostCommand.self, ExplainCommand.self]),
      CommandGroup(name: "People", subcommands: [AccessCommand.self]),
      CommandGroup(name: "Help", subcommands: [DoctorCommand.self]),
    ])
}

@main
enum Main {
  /// Parses, runs, and turns whatever was thrown into words and an exit code.
  static func main() async {
    TerminationSignal.ignoreBrokenPipes()
    do {
      var command = try Headrace.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      ExitStatus.end(.success)
    } catch {
      ExitStatus.exit(with: error)
    }
  }
}
