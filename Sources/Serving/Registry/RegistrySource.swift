internal import Core
package import Registry
package import Runtime

/// The registry behind a server.
package protocol RegistrySource: Sendable {
  /// What it says now.
  func registry() throws -> RegistryState

  /// Sends a command, and waits until it is known what became of it.
  func send(_ command: RegistryCommand) async throws -> RegistryOutcome
}

/// The cluster's registry, as the engine follows it.
package struct EngineRegistrySource: RegistrySource {
  private let engine: Engine

  package init(_ engine: Engine) { self.engine = engine }

  package func registry() -> RegistryState { engine.registry }
  package func send(_ command: RegistryCommand) async throws -> RegistryOutcome { try await engine.send(command) }
}

/// The registry of a folder.
package struct LocalRegistrySource: RegistrySource {
  private let local: LocalRegistry

  package init(_ local: LocalRegistry) { self.local = local }

  package func registry() throws -> RegistryState { try local.database.state() }

  package func send(_ command: RegistryCommand) throws -> RegistryOutcome {
    try local.database.append(timeMilliseconds: WallClock.system.nowMilliseconds) { _ in command }.outcome
  }
}
