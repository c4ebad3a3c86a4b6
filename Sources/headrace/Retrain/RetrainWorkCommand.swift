internal import ArgumentParser
internal import Core
internal import Kafka
internal import Storage
internal import Training

/// What `run` and `dev` start for each step that takes long: a process of its own, so that neither a library that
/// crashes nor memory that runs out touches the stream.
struct RetrainWorkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work", abstract: "One step of a retraining; `run` starts it.", shouldDisplay: false)

  /// Another process works on the same retraining.
  static let busyStatus: Int32 = 75

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @Argument(help: "The retraining.") var id: String
  @Option(help: "dataset, train or evaluate.") var step: String
  @Option(help: ArgumentHelp("Whose policy it is.", valueName: "name")) var topologyName: String
  @OptionGroup var place: TableOptions
  @Option(help: ArgumentHelp("How old rows may be that are in no table yet.", valueName: "ms"))
  var tableFreshnessMs: Int64 = 20_000

  func validate() throws {
    guard RetrainingAction.Work(rawValue: step) != nil else {
      throw ValidationError("--step \(step): expected dataset, train or evaluate")
    }
    guard place.data != nil else { throw ValidationError("--data DIR is missing") }
  }

  func run() async throws {
    guard let step = RetrainingAction.Work(rawValue: step), let data = place.data else { return }
    try ParentWatch.start()
    let work = RetrainingWork(
      id: id, topology: topologyName, client: try connection.clientConfiguration(), dataDirectory: data,
      tables: try TableLocation.store(place.tables, dataDirectory: data),
      tableFreshnessMilliseconds: tableFreshnessMs)
    do {
      try await BlockingThread(name: "work").run { try work.run(step) }
    } catch let error as HeadraceError where error.code == "RETRAINING_BUSY" {
      throw ExitCode(Self.busyStatus)
    }
  }
}

extension ConnectionOptions {
  /// The flags that say the same again.
  var arguments: [String] {
    var arguments = ["--timeout", timeout]
    for (flag, value) in [
      ("--bootstrap", bootstrap), ("--security-protocol", securityProtocol), ("--ca", ca),
      ("--certificate", certificate), ("--certificate-key", certificateKey), ("--sasl-mechanism", saslMechanism),
      ("--sasl-user", saslUser), ("--sasl-password-file", saslPasswordFile),
      ("--oauth-token-endpoint", oauthTokenEndpoint),
    ] {
      if let value { arguments += [flag, value] }
    }
    return arguments
  }
}
