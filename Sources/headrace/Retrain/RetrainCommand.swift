internal import ArgumentParser

struct RetrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrain", abstract: "Retrainings of a cluster: ask for one, see how they go, cancel.",
    discussion: """
      `headrace retrain POLICY` opens a retraining of a policy that some topology runs; `run` and `dev` do the work. \
      Every step is a record of the control topic, so it goes on wherever a process died. What takes long runs in \
      processes of its own, at nice 10, so that the stream comes first; HEADRACE_RETRAIN_NICE (0 to 19) says otherwise.
      """,
    subcommands: [
      RetrainOpenCommand.self, RetrainListCommand.self, RetrainShowCommand.self, RetrainCancelCommand.self,
      RetrainWorkCommand.self,
    ], defaultSubcommand: RetrainOpenCommand.self)
}
