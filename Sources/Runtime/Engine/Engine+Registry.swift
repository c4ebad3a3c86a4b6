internal import Core
internal import Kafka
internal import Logging
package import Registry
internal import Synchronization

// The registry in this process: what it says, and a copy of its log on the disk.

extension Engine {
  private static let copyRetryMilliseconds: Int64 = 5_000

  /// What the registry says, as far as this process has read it.
  package var registry: RegistryState { state.withLock { $0.registry } }

  /// The copy of the registry's log, for whoever makes something else of it; nil before it is there.
  package var registryCopy: RegistryDatabase? { state.withLock { $0.registryCopy } }

  /// Whether this process does what one process of the topology should do: it has the first task.
  package var isFirst: Bool { board.task(0) != nil }

  /// Where the copy is.
  package static func registryCopyPath(_ dataDirectory: String) -> String { "\(dataDirectory)/control.sqlite" }

  /// Sends a command, and waits until it is known what became of it.
  package func send(_ command: RegistryCommand) async throws -> RegistryOutcome {
    let client = configuration.client
    return try await BlockingThread(name: "command").run { try ControlLog(client).send(command) }
  }

  /// Takes over what was read. The copy is a convenience: a disk that does not take it stops nothing.
  func followRegistry(_ log: ControlLog) {
    let now = WallClock.monotonic.nowMilliseconds
    let registry = log.registry
    let (copy, isDue) = state.withLock { state in
      state.registry = Self.newer(registry, state.registry)
      return (state.registryCopy, now >= state.copyRetryAtMilliseconds)
    }
    guard isDue, !log.commandsRead.isEmpty || copy == nil else { return }
    do throws(HeadraceError) {
      let path = Self.registryCopyPath(configuration.dataDirectory)
      let database = if let copy { copy } else { try RegistryDatabase(path: path) }
      try database.follow(log.commandsRead)
      log.dropCommands()
      state.withLock { $0.registryCopy = database }
    } catch {
      state.withLock { $0.copyRetryAtMilliseconds = now + Self.copyRetryMilliseconds }
      logger.warning("the copy of the registry cannot be written", metadata: ["error": "\(error)"])
    }
  }
}
