internal import Cost
internal import NIOCore

extension FeatureServer {
  /// `GET /api/cost`.
  func costs() -> Reply {
    guard let reading = status.cost() else {
      let body = JSONDocumentWriter.object { json in
        json.member("code", "NO_COSTS")
        json.member("message", "this server counts no costs")
      }
      return .json(body, status: 404)
    }
    let offer = offer
    let answer = CostAnswer(usage: reading.usage, curve: reading.curve, features: offer.featureUse)
    return .json(ByteBuffer(bytes: answer.json(reading.events)))
  }
}

extension Offer {
  /// Every feature of the plan with its window, and who reads it since the plan is served.
  var featureUse: [FeatureUse] {
    let reads = shapes.reads
    var inServices: Set<ServingCatalog.Origin> = []
    for service in catalog.services { for feature in service.features { inServices.insert(feature.origin) } }
    for onDemand in catalog.onDemand { inServices.formUnion(onDemand.inputs) }
    return catalog.views.enumerated().flatMap { view, definition in
      definition.features.enumerated().map { position, feature in
        FeatureUse(
          view: definition.name, name: feature.name, windowMilliseconds: feature.windowMilliseconds,
          hopMilliseconds: feature.hopMilliseconds, ttlMilliseconds: definition.ttlMilliseconds,
          isInService: inServices.contains(.feature(view: view, feature: position)),
          reads: reads[.init(view: view, feature: position)] ?? 0)
      }
    }
  }
}
