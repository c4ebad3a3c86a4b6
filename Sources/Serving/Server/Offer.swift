internal import Core
internal import Cost
internal import NIOCore
internal import OfflineStore

/// What requests are answered from: the catalog of one plan, and what was made of it. A request takes it once, and is
/// answered by one plan from its beginning to its end, whatever is applied meanwhile.
final class Offer: Sendable {
  let catalog: ServingCatalog
  let features: any OnlineFeatureSource
  let shapes: ShapeCache
  let pushes: PushHandler?
  let models: ServedModels
  let reads: ReadMeters
  private let meters: MeterTable
  private let sampled: (any SampledFeatureSource)?
  private let gates: SampleGates?

  init(
    _ catalog: ServingCatalog, _ features: any OnlineFeatureSource, _ events: (any EventSink)?,
    _ models: ServedModels, _ limits: ServingConfiguration.Limits, _ clock: WallClock, _ meters: MeterTable
  ) {
    self.models = models
    reads = ReadMeters(catalog, models, meters)
    self.meters = meters
    self.catalog = catalog
    self.features = features
    shapes = ShapeCache(catalog, limits)
    sampled = features as? any SampledFeatureSource
    gates = SampleGates(serviceCount: catalog.services.count, perSecond: sampled?.samplesPerSecond ?? 0)
    pushes = events.map { PushHandler(catalog: catalog, sink: $0, limits: limits, clock: clock) }
  }

  /// The same with other models.
  init(_ former: Offer, models: ServedModels) {
    self.models = models
    catalog = former.catalog
    features = former.features
    shapes = former.shapes
    pushes = former.pushes
    sampled = former.sampled
    gates = former.gates
    meters = former.meters
    reads = ReadMeters(former.catalog, models, former.meters)
  }

  /// Has one row of a request sampled now and then. Between `begin` and `readAll` of its answer.
  func chooseSample(_ answer: inout FeatureAnswer, at now: NIODeadline) {
    guard let gates, answer.rowCount > 0 else { return }
    let nanoseconds = now.uptimeNanoseconds
    guard gates.open(answer.shape.service, nowNanoseconds: nanoseconds) else { return }
    var random = SplitMix64(seed: ~nanoseconds)
    answer.trace(row: Int(random.next() % UInt64(answer.rowCount)))
  }

  /// Hands over what was sampled of an answer that goes out.
  func takeSample(_ answer: borrowing FeatureAnswer, nowMilliseconds: Int64) {
    guard answer.tracedRow != nil, let sample = answer.sample(servedMilliseconds: nowMilliseconds) else { return }
    sampled?.take(sample)
  }
}
