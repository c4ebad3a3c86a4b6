internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import OfflineStore
internal import Topology

extension DatasetSpecification {
  /// What a service of a plan is, for a dataset.
  ///
  /// - Throws: DATASET_SERVICE when there is no such service.
  init(_ plan: Plan, service name: String) throws(HeadraceError) {
    guard let service = plan.services.first(where: { $0.name == name }) else {
      throw HeadraceError(
        .user, "DATASET_SERVICE", "there is no service `\(name)`", place: plan.document.file,
        remedy: "services of the topology: \(plan.services.map(\.name).joined(separator: ", "))")
    }
    let computed = Self.onDemand(plan, service)
    let origins = service.features.map(\.origin) + computed.flatMap { plan.onDemand[$0].inputs }
    var positions: [Int: Int] = [:]
    var views: [View] = []
    var wanted: [Int: [Int]] = [:]
    for view in service.views {
      positions[view] = views.count
      let features = origins.compactMap { origin in
        if case .feature(let reference) = origin, reference.view == view { reference.feature } else { nil }
      }
      wanted[view] = Set(features).sorted()
      views.append(View(plan, view, features: wanted[view] ?? []))
    }
    func origin(_ origin: ValueOrigin) -> Origin {
      switch origin {
      case .feature(let reference):
        .feature(
          view: positions[reference.view] ?? 0,
          feature: wanted[reference.view]?.firstIndex(of: reference.feature) ?? 0)
      case .request(let field): .request(name: plan.requestFields[field].name, type: plan.requestFields[field].type)
      case .onDemand(let position): .onDemand(computed.firstIndex(of: position) ?? 0)
      }
    }
    self.init(
      service: service.name, serviceFingerprint: service.fingerprint.description, topology: plan.name, views: views,
      onDemand: computed.map { position in
        let onDemand = plan.onDemand[position]
        return OnDemand(name: onDemand.name, expression: onDemand.expression, inputs: onDemand.inputs.map(origin))
      },
      features: service.features.map {
        Feature(name: $0.name, type: $0.type, origin: origin($0.origin), defaultValue: $0.defaultValue)
      })
  }

  /// Positions of the on-demand features that the service needs, those that they are computed of included; ascending.
  private static func onDemand(_ plan: Plan, _ service: ServicePlan) -> [Int] {
    var needed: Set<Int> = []
    var waiting = service.features.map(\.origin)
    while let origin = waiting.popLast() {
      guard case .onDemand(let position) = origin, needed.insert(position).inserted else { continue }
      waiting += plan.onDemand[position].inputs
    }
    return needed.sorted()
  }
}

extension DatasetSpecification.View {
  fileprivate init(_ plan: Plan, _ index: Int, features: [Int]) {
    let view = plan.views[index]
    let source = plan.sources[view.source]
    let entity = plan.entities[view.entity]
    let point = PointInTimeView(
      name: view.name, scope: source.scope.map(\.type), derived: source.derived.map(\.expression), filter: view.filter,
      inputs: view.inputs, keyColumns: view.keyColumns, layout: view.layout,
      features: features.map { (position: $0, name: view.features[$0].name, type: view.features[$0].type) })
    self.init(
      view: point, source: source.name, topic: source.topic,
      fields: source.columns.map { column in
        OfflineTable.Field(source.contract.fields[column].path, source.contract.fields[column].type)
      }, joinKeys: entity.keys, joinTypes: entity.types, fingerprint: view.fingerprint.description)
  }
}
