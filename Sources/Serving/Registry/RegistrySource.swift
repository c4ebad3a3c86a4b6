internal import Core
package import Registry
package import Runtime

/// The registry behind a server.
package protocol RegistrySource: Sendable {
  /// What it says now.
  func registry() throws -> RegistryState

  /// Sends a command, and waits until it is known what became of it.
  func send(_ command: RegistryCommand) async throws -> RegistryOutcome

  /// What somebody who approves has to see of a retraining: a page of HTML; nil where nobody makes one.
  func evidence(_ retraining: RegisteredRetraining, _ state: RegistryState) -> String?

  /// Takes the model that something outside has made for a retraining.
  ///
  /// - Parameter actor: who brings it; nil: nobody says.
  /// - Returns: its content hash; nil where none is taken.
  func take(_ model: [UInt8], of retraining: RegisteredRetraining, by actor: String?) async throws -> String?

  /// Holds a version against everything that runs the model under the alias.
  ///
  /// - Throws: why it cannot answer there.
  func check(_ version: ModelVersion, alias: String) async throws
}

extension RegistrySource {
  package func evidence(_ retraining: RegisteredRetraining, _ state: RegistryState) -> String? { nil }
  package func take(
    _ model: [UInt8], of retraining: RegisteredRetraining, by actor: String?
  ) async throws -> String? { nil }
  package func check(_ version: ModelVersion, alias: String) async throws {}
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
