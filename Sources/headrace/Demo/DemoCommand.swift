internal import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Watch the whole program at work, in one process and without set-up.",
    discussion: ExitStatus.help, subcommands: [DemoLoopCommand.self])
}
