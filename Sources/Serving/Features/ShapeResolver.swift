internal import Columns

/// Turns a list of references, or a service, into a shape. Errors name what Feast would name.
struct ShapeResolver {
  private let catalog: ServingCatalog
  private let featuresMax: Int
  private let hasFullFeatureNames: Bool

  private var columns: [ResolvedShape.Column] = []
  private var names: [String] = []
  private var references: [String] = []
  private var reads: [ResolvedShape.Read] = []
  private var joinKeys: [ResolvedShape.Field] = []
  private var requestFields: [Int] = []
  private var onDemand: [ResolvedShape.OnDemand] = []

  private init(_ catalog: ServingCatalog, _ featuresMax: Int, _ hasFullFeatureNames: Bool) {
    self.catalog = catalog
    self.featuresMax = featuresMax
    self.hasFullFeatureNames = hasFullFeatureNames
  }

  static func resolve(
    features: [String], hasFullFeatureNames: Bool, catalog: ServingCatalog, featuresMax: Int
  ) throws(Problem) -> ResolvedShape {
    guard !features.isEmpty else {
      throw Problem(422, "NO_FEATURES", "No features specified for retrieval", feast: .exception("FeastError"))
    }
    var resolver = ShapeResolver(catalog, featuresMax, hasFullFeatureNames)
    for feature in features { try resolver.append(reference: feature) }
    return try resolver.shape()
  }

  static func resolve(
    service name: String, hasFullFeatureNames: Bool, catalog: ServingCatalog, featuresMax: Int
  ) throws(Problem) -> ResolvedShape {
    guard let index = catalog.service(named: name) else {
      throw Problem(
        404, "SERVICE_NOT_FOUND", "Feature service \(name) does not exist in project \(catalog.name)",
        feast: .exception("FeatureServiceNotFoundException"))
    }
    var resolver = ShapeResolver(catalog, featuresMax, hasFullFeatureNames)
    for feature in catalog.services[index].features {
      let name = resolver.outputName(feature.origin, short: feature.name)
      try resolver.append(feature.origin, name: name, reference: feature.name, defaultValue: feature.defaultValue)
    }
    return try resolver.shape(service: index)
  }

  // MARK: Names

  /// `view:feature`, `view:*`, `request:field`, `on_demand_feature`, `on_demand:feature`.
  private mutating func append(reference: String) throws(Problem) {
    let parts = reference.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      guard let index = catalog.onDemand.firstIndex(where: { $0.name == reference }) else {
        throw Problem(
          404, "FEATURE_NOT_FOUND", "\(reference) is no on-demand feature of \(catalog.name)",
          remedy: "name features as view:feature", feast: .exception("OnDemandFeatureViewNotFoundException"))
      }
      return try append(.onDemand(index), name: reference, reference: reference)
    }
    if let view = catalog.view(named: parts[0]) {
      if parts[1] == "*" {
        for (index, feature) in catalog.views[view].features.enumerated() {
          let origin = ServingCatalog.Origin.feature(view: view, feature: index)
          let full = "\(parts[0]):\(feature.name)"
          try append(origin, name: outputName(origin, short: feature.name), reference: full)
        }
        return
      }
      guard let feature = catalog.views[view].features.firstIndex(where: { $0.name == parts[1] }) else {
        throw Problem(
          404, "FEATURE_NOT_FOUND", "Feature \(parts[1]) not found in projection \(parts[0])",
          feast: .exception("FeastObjectNotFoundException"))
      }
      let origin = ServingCatalog.Origin.feature(view: view, feature: feature)
      return try append(origin, name: outputName(origin, short: parts[1]), reference: reference)
    }
    if parts[0] == "request", let index = catalog.requestFields.firstIndex(where: { $0.name == parts[1] }) {
      return try append(.request(index), name: parts[1], reference: reference)
    }
    if parts[0] == "on_demand" || parts[0] == parts[1],
      let index = catalog.onDemand.firstIndex(where: { $0.name == parts[1] })
    {
      return try append(.onDemand(index), name: parts[1], reference: reference)
    }
    throw Problem(
      404, "VIEW_NOT_FOUND", "Feature view \(parts[0]) does not exist in project \(catalog.name)",
      feast: .exception("FeatureViewNotFoundException"))
  }

  /// What the answer calls it: `view__feature` when full names were asked for.
  private func outputName(_ origin: ServingCatalog.Origin, short: String) -> String {
    guard hasFullFeatureNames, case .feature(let view, let feature) = origin else { return short }
    return "\(catalog.views[view].name)__\(catalog.views[view].features[feature].name)"
  }

  // MARK: What it takes

  private mutating func append(
    _ origin: ServingCatalog.Origin, name: String, reference: String, defaultValue: Value = .null
  ) throws(Problem) {
    guard columns.count < featuresMax else {
      throw Problem(
        422, "TOO_MANY_FEATURES", "more than \(featuresMax) features", place: "features", remedy: "split the request")
    }
    columns.append(.init(origin: need(origin), defaultValue: defaultValue))
    names.append(name)
    references.append(reference)
  }

  /// Notes what has to be read or computed for a value, and says where it will be.
  private mutating func need(_ origin: ServingCatalog.Origin) -> ResolvedShape.Origin {
    switch origin {
    case .feature(let view, let feature):
      let read = reads.firstIndex { $0.view == view } ?? appendRead(of: view)
      if let position = reads[read].features.firstIndex(of: feature) { return .feature(read: read, position: position) }
      reads[read].features.append(feature)
      return .feature(read: read, position: reads[read].features.count - 1)
    case .request(let field):
      if let position = requestFields.firstIndex(of: field) { return .request(position) }
      requestFields.append(field)
      return .request(requestFields.count - 1)
    case .onDemand(let index):
      if let position = onDemand.firstIndex(where: { $0.index == index }) { return .onDemand(position) }
      // Inputs first: they stand further up in the catalog, so that this ends.
      let inputs = catalog.onDemand[index].inputs.map { need($0) }
      onDemand.append(.init(index: index, inputs: inputs))
      return .onDemand(onDemand.count - 1)
    }
  }

  private mutating func appendRead(of view: Int) -> Int {
    let keys = catalog.views[view].joinKeys.map { key in
      let name = Array(key.name.utf8)
      if let position = joinKeys.firstIndex(where: { $0.name == name }) { return position }
      joinKeys.append(.init(name: name, type: key.type))
      return joinKeys.count - 1
    }
    reads.append(.init(view: view, joinKeys: keys, features: []))
    return reads.count - 1
  }

  private func shape(service: Int? = nil) throws(Problem) -> ResolvedShape {
    var seen: Set<String> = Set(joinKeys.map { String(decoding: $0.name, as: UTF8.self) })
    for (name, reference) in zip(names, references) where !seen.insert(name).inserted {
      throw Problem(
        422, "FEATURE_NAME_COLLISION",
        "Duplicate features named \(name) found (\(reference)).\nTo resolve this collision, either use the full "
          + "feature name by setting 'full_feature_names=True', or ensure that the features in question have "
          + "different names.",
        feast: .exception("FeatureNameCollisionError"))
    }
    return ResolvedShape(
      columns: columns, reads: reads, joinKeys: joinKeys,
      requestFields: requestFields.map {
        .init(name: Array(catalog.requestFields[$0].name.utf8), type: catalog.requestFields[$0].type)
      },
      onDemand: onDemand, names: names, service: service)
  }
}
