internal import Core
package import Kafka
package import Registry

/// The log of a folder's registry, published to a control topic.
///
/// Which commands are there is asked of the topic, by their ids: it holds the only mark of how far this got. So it may
/// be cut short anywhere and done again.
package struct RegistryPublication: Sendable {
  private let local: LocalRegistry
  private let files: ModelFileStore
  private let client: ClientConfiguration

  /// - Parameter files: where those who follow the topic look for the files of models.
  package init(local: LocalRegistry, files: ModelFileStore, client: ClientConfiguration) {
    self.local = local
    self.files = files
    self.client = client
  }

  /// Blocks until everything is there.
  ///
  /// - Returns: how many commands were sent, and how many were there already.
  /// - Throws: `REGISTRIES_DIFFER` when the topic would refuse a command; nothing has been sent then, unless somebody
  ///   else changed the topic meanwhile.
  package func run() throws -> (sent: Int, known: Int) {
    let log = try ControlLog(client, keepsCommands: true)
    var state = try log.currentRegistry()
    let there = Set(log.commandsRead.compactMap { try? RegistryCommand(json: $0.json).id })
    var missing: [(command: RegistryCommand, timeMilliseconds: Int64)] = []
    var known = 0
    var offset: Int64 = -1
    while case let page = try local.database.records(after: offset), let last = page.last {
      offset = last.offset
      for record in page {
        guard let command = try? RegistryCommand(json: record.json) else { continue }
        guard !there.contains(command.id) else {
          known += 1
          continue
        }
        let outcome = state.apply(command, offset: state.offset + 1, timeMilliseconds: record.timeMilliseconds)
        if case .refused(let refusal) = outcome { throw Self.conflict(command, refusal) }
        missing.append((command, record.timeMilliseconds))
      }
    }
    for (command, time) in missing {
      if case .addVersion(let version) = command.change {
        _ = try files.put(try local.files.read(version.contentHash))
      }
      RuntimeKillPoint.pass(.registryPublishing)
      if case .refused(let refusal) = try log.send(command, timeMilliseconds: time) {
        throw Self.conflict(command, refusal)
      }
    }
    return (missing.count, known)
  }

  private static func conflict(_ command: RegistryCommand, _ refusal: RegistryRefusal) -> HeadraceError {
    HeadraceError(
      .user, "REGISTRIES_DIFFER", "the cluster refuses a command of the folder: \(refusal.message)",
      place: command.subject.key,
      remedy: "the cluster has something of this name already: publish the files under other names with "
        + "`headrace models publish`")
  }
}
