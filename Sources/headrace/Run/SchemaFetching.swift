internal import Contracts
internal import Core
internal import Logging
internal import Topology

/// Gets from the schema registry what the workers wait for, until the process ends: tasks ask in memory alone.
enum SchemaFetching {
  private static let pauseMilliseconds = 20
  private static let pauseAfterFailureMilliseconds = 100
  private static let pauseMillisecondsMaximum = 2_000

  /// - Throws: `NO_SCHEMA_REGISTRY` when a source or a model of the plan needs one.
  static func check(_ plan: Plan, hasRegistry: Bool) throws(HeadraceError) {
    guard !hasRegistry else { return }
    if let model = plan.models.first(where: { $0.stream?.format == .avroConfluent }) {
      throw HeadraceError(
        .user, "NO_SCHEMA_REGISTRY",
        "predictions of \(model.name) name their schema by number, and no registry is named",
        place: "model \(model.name)", remedy: "--schema-registry URL, or HEADRACE_SCHEMA_REGISTRY")
    }
    guard let source = plan.sources.first(where: { $0.format == .avroConfluent }) else { return }
    throw HeadraceError(
      .user, "NO_SCHEMA_REGISTRY", "records of \(source.topic) name their schemas by number, and no registry is named",
      place: "source \(source.name)", remedy: "--schema-registry URL, or HEADRACE_SCHEMA_REGISTRY")
  }

  static func start(_ registry: SchemaRegistryClient, logger: Logger) -> Task<Void, Never> {
    Task {
      var pause = pauseMilliseconds
      var told: String?
      while !Task.isCancelled {
        if registry.hasWanted {
          do throws(HeadraceError) {
            try await registry.fetchWanted()
            pause = pauseMilliseconds
            told = nil
          } catch {
            pause = min(max(pause * 2, pauseAfterFailureMilliseconds), pauseMillisecondsMaximum)
            // Once for each kind of trouble: it is asked for again and again.
            if told != error.description {
              logger.warning("the schema registry does not give what records need", metadata: ["error": "\(error)"])
              told = error.description
            }
          }
        }
        try? await Task.sleep(for: .milliseconds(pause))
      }
    }
  }
}
