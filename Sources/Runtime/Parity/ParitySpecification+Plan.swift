internal import Columns
internal import Contracts
internal import Expressions
internal import Features
package import OfflineStore
package import Topology

extension ParitySpecification {
  /// What a plan's views and services give.
  package init(_ plan: Plan) {
    let views = plan.views.map { View(plan, $0) }
    let onDemand = plan.onDemand.map { feature in
      OnDemand(
        name: feature.name, fingerprint: feature.fingerprint.description, expression: feature.expression,
        inputs: feature.inputs.map { (Self.input($0, plan), Self.type($0, plan)) })
    }
    var defaults: [String: [Input: Value]] = [:]
    for service in plan.services {
      for feature in service.features where feature.defaultValue != .null {
        defaults[service.name, default: [:]][Self.input(feature.origin, plan)] = feature.defaultValue
      }
    }
    self.init(
      topology: plan.name, fingerprint: plan.fingerprint.description, views: views, onDemand: onDemand,
      defaults: defaults)
  }

  private static func input(_ origin: ValueOrigin, _ plan: Plan) -> Input {
    switch origin {
    case .feature(let reference):
      .feature(
        view: plan.views[reference.view].name, name: plan.views[reference.view].features[reference.feature].name)
    case .request(let field): .request(plan.requestFields[field].name)
    case .onDemand(let position): .onDemand(plan.onDemand[position].name)
    }
  }

  /// Lists cannot be computed with: where one would stand is a column of nulls, as in a request.
  private static func type(_ origin: ValueOrigin, _ plan: Plan) -> ColumnType {
    switch origin {
    case .feature(let reference): plan.views[reference.view].features[reference.feature].type.scalar ?? .string
    case .request(let field): plan.requestFields[field].type
    case .onDemand(let position): plan.onDemand[position].expression.type
    }
  }
}

extension ParitySpecification.View {
  fileprivate init(_ plan: Plan, _ view: ViewPlan) {
    let source = plan.sources[view.source]
    let entity = plan.entities[view.entity]
    self.init(
      point: PointInTimeView(
        name: view.name, scope: source.scope.map(\.type), derived: source.derived.map(\.expression),
        filter: view.filter, inputs: view.inputs, keyColumns: view.keyColumns, layout: view.layout,
        features: view.features.indices.map { ($0, view.features[$0].name, view.features[$0].type) }),
      fingerprints: view.features.map(\.fingerprint.description), topic: source.topic,
      isRepartitioned: view.isRepartitioned, table: source.isArchived ? EventArchive.name(source: source.name) : nil,
      fields: source.contract.fields.map { OfflineTable.Field($0.path, $0.type) }, joinKeys: entity.keys,
      joinTypes: entity.types)
  }
}
