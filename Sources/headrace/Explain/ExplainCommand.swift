internal import ArgumentParser

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Why a value is what it is: which records made it, and the proof.",
    subcommands: [ExplainFeatureCommand.self, ExplainPredictionCommand.self])
}
