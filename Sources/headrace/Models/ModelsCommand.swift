internal import ArgumentParser

struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "Versions of models: what there is, which one scores, how the next one takes over.",
    discussion: """
      add and alias are about a folder (--data), which `headrace serve` serves without Kafka; list, show, runs, \
      experiments, approvals, approve and reject are about a folder with --data, about a cluster without. The others \
      are about a cluster: versions, aliases, rollouts, runs and approvals are commands in its control topic \
      (headrace.control), which every process of every topology follows in their order.
      """,
    subcommands: [
      ModelsAddCommand.self, ModelsListCommand.self, ModelsShowCommand.self, ModelsAliasCommand.self,
      ModelsPublishCommand.self, ModelsPromoteCommand.self, ModelsRollbackCommand.self, ModelsCanaryCommand.self,
      ModelsShadowCommand.self, ModelsStopCommand.self, ModelsRolloutsCommand.self, ModelsWhoServedCommand.self,
      ModelsRunsCommand.self, ModelsExperimentsCommand.self, ModelsApprovalsCommand.self,
      ModelsApproveCommand.self, ModelsRejectCommand.self, ModelsJoinCommand.self,
    ], defaultSubcommand: ModelsListCommand.self)
}
