internal import ArgumentParser

struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Versions of models: which one scores, and how the next one takes over.",
    discussion: """
      Versions, aliases and rollouts are commands in the control topic (headrace.control): every process of every \
      topology follows them in their order, and each task goes over at an offset that is committed.
      """,
    subcommands: [
      ModelsAddCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self, ModelsCanaryCommand.self,
      ModelsShadowCommand.self, ModelsStopCommand.self, ModelsRolloutsCommand.self, ModelsWhoServedCommand.self,
    ])
}
