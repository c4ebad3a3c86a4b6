import Core
import Logging

@testable import Serving

/// A server on a free port for the length of a test.
func withServer(
  _ configure: (inout ServingConfiguration) -> Void = { _ in }, isReadOnly: Bool = false,
  registry: (any RegistrySource)? = nil,
  _ body: (FeatureServer, FakeEngine) async throws -> Void
) async throws {
  var configuration = ServingConfiguration()
  configuration.port = 0
  configure(&configuration)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let engine = FakeEngine()
  let server = FeatureServer(
    catalog: TestCatalog.catalog, features: engine, events: isReadOnly ? nil : engine, status: engine,
    registry: registry, configuration: configuration, clock: .init { 1_793_500_300_000 }, logger: logger)
  try await server.start()
  do {
    try await body(server, engine)
  } catch {
    await server.stop()
    throw error
  }
  await server.stop()
}
