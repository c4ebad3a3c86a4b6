internal import Core

/// What requests are answered from: the catalog of one plan, and what was made of it. A request takes it once, and is
/// answered by one plan from its beginning to its end, whatever is applied meanwhile.
final class Offer: Sendable {
  let catalog: ServingCatalog
  let features: any OnlineFeatureSource
  let shapes: ShapeCache
  let pushes: PushHandler?
  let models: ServedModels

  init(
    _ catalog: ServingCatalog, _ features: any OnlineFeatureSource, _ events: (any EventSink)?,
    _ models: ServedModels, _ limits: ServingConfiguration.Limits, _ clock: WallClock
  ) {
    self.models = models
    self.catalog = catalog
    self.features = features
    shapes = ShapeCache(catalog, limits)
    pushes = events.map { PushHandler(catalog: catalog, sink: $0, limits: limits, clock: clock) }
  }
}
