internal import Core
internal import Features
package import Logging
internal import OnlineStore
internal import Runtime

extension FeatureServer {
  /// A server of models alone: features come with the requests.
  package convenience init(
    models: ServedModels, registry: any RegistrySource, configuration: ServingConfiguration, logger: Logger
  ) {
    self.init(
      catalog: ServingCatalog(name: "models"), features: NoFeatures(), events: nil, status: NoEngine(),
      models: models, registry: registry, configuration: configuration, logger: logger)
  }
}

/// No view is ever read.
private struct NoFeatures: OnlineFeatureSource {
  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    throw .failed(code: "NO_FEATURES", message: "this server has models alone")
  }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {
    if let offset = offsets.first { throw .unknownOffset(offset) }
  }
}

/// There is nothing behind it that could be late.
private struct NoEngine: StatusSource {
  private let startedMilliseconds = WallClock.system.nowMilliseconds

  func report() -> EngineReport { EngineReport(startedMilliseconds: startedMilliseconds) }
}
