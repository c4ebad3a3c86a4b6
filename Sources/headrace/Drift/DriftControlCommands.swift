internal import ArgumentParser
internal import Core
internal import Kafka
internal import Monitoring

struct DriftSilenceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "silence", abstract: "Let alarms of a monitor not ring for a while; they are noted all the same.",
    discussion: "Times are those of events. Exit codes: 0 told; 1 failed; 2 wrong usage; 3 the broker is unreachable.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var target: MonitorTarget
  @Option(help: ArgumentHelp("One feature. (default: all)", valueName: "name")) var feature: String?
  @Option(help: ArgumentHelp("The silence begins. (default: now)", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("The silence ends.", valueName: "time")) var until: String

  func run() async throws {
    let start = try MonitorTarget.milliseconds(from, "--from")
    let end = try MonitorTarget.milliseconds(until, "--until")
    guard start < end else { throw ValidationError("--until \(until): expected a time behind --from") }
    try await target.tell(
      .silence(Silence(feature: feature, startMilliseconds: start, endMilliseconds: end, reason: target.reason)),
      try connection.clientConfiguration())
  }
}

struct DriftAcknowledgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acknowledge",
    abstract: "What a monitor sees is right: its reference begins anew with the window of that time.",
    discussion: "Exit codes: 0 told; 1 failed; 2 wrong usage; 3 the broker is unreachable.")

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var target: MonitorTarget
  @Option(
    help: ArgumentHelp("A time of events: windows in front of it no longer count. (default: now)", valueName: "time"))
  var at: String?

  func run() async throws {
    try await target.tell(
      .acknowledge(atMilliseconds: try MonitorTarget.milliseconds(at, "--at"), reason: target.reason),
      try connection.clientConfiguration())
  }
}

/// Whom a command is for, and why it is given.
struct MonitorTarget: ParsableArguments {
  @Argument(help: ArgumentHelp("The monitor's name.", valueName: "monitor")) var monitor: String
  @Option(help: ArgumentHelp("The topology's name.", valueName: "name")) var topology: String
  @Option(help: ArgumentHelp("For those who read it later.", valueName: "text")) var reason: String

  func tell(_ command: MonitorCommand, _ client: ClientConfiguration) async throws {
    try await command.send(topology: topology, monitor: monitor, by: ActorOptions.user, client)
  }

  static func milliseconds(_ text: String?, _ flag: String) throws -> Int64 {
    guard let text else { return WallClock.system.nowMilliseconds }
    guard let time = Int64(text) ?? RFC3339.milliseconds(text) else {
      throw ValidationError("\(flag) \(text): expected RFC 3339, a date, or epoch milliseconds")
    }
    return time
  }
}
