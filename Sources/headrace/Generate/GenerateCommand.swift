internal import ArgumentParser

struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make up events: the same ones for the same seed.",
    discussion: "For trying things out, tests and measurements. \(ExitStatus.help)",
    subcommands: [GeneratePayments.self])
}
