internal import ArgumentParser

@main
struct Headrace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "headrace", abstract: "Kafka events to features to predictions.", subcommands: [BrokerCommand.self])
}
