internal import ArgumentParser

struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "The local model store: versions of models, and what stands for them.",
    subcommands: [ModelsAddCommand.self, ModelsListCommand.self, ModelsShowCommand.self, ModelsAliasCommand.self],
    defaultSubcommand: ModelsListCommand.self)
}
