internal import ArgumentParser

struct DatasetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset", abstract: "Training sets: features as they were known at the time of each label.",
    subcommands: [
      DatasetBuildCommand.self, DatasetJoinCommand.self, DatasetListCommand.self, DatasetShowCommand.self,
      DatasetDiffCommand.self, DatasetVerifyCommand.self,
    ])
}
