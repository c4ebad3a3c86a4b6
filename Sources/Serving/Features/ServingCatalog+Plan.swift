internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
package import Topology

extension ServingCatalog {
  /// What a plan offers. Positions of views, sources, request fields and on-demand features are those of the plan.
  package init(_ plan: Plan) {
    self.init(
      name: plan.name, fingerprint: plan.fingerprint.description, sources: plan.sources.map { Source($0) },
      views: plan.views.map { View($0, of: plan) }, requestFields: plan.requestFields.map { Field($0.name, $0.type) },
      onDemand: [], services: plan.services.map { Service($0) })
    for feature in plan.onDemand {
      onDemand.append(
        OnDemand(
          name: feature.name, type: feature.expression.type, inputs: feature.inputs.map { Origin($0) },
          inputTypes: feature.inputs.map { type(of: Origin($0)) }, fingerprint: feature.fingerprint.description,
          evaluate: { feature.expression.evaluate($0) }))
    }
  }

  /// Lists cannot be computed with: where one would stand is a column of nulls.
  private func type(of origin: Origin) -> ColumnType {
    switch origin {
    case .feature(let view, let feature): views[view].features[feature].type ?? .string
    case .request(let field): requestFields[field].type
    case .onDemand(let index): onDemand[index].type
    }
  }
}

extension ServingCatalog.Origin {
  fileprivate init(_ origin: ValueOrigin) {
    switch origin {
    case .feature(let reference): self = .feature(view: reference.view, feature: reference.feature)
    case .request(let field): self = .request(field)
    case .onDemand(let index): self = .onDemand(index)
    }
  }
}

extension ServingCatalog.View {
  fileprivate init(_ view: ViewPlan, of plan: Plan) {
    let entity = plan.entities[view.entity]
    self.init(
      name: view.name, entity: entity.name,
      joinKeys: zip(entity.keys, entity.types).map { ServingCatalog.Field($0, $1) },
      features: view.features.enumerated().map { position, feature in
        var served = ServingCatalog.Feature(
          name: feature.name, typeName: feature.type.text, type: feature.type.scalar, definition: feature.definition,
          fingerprint: feature.fingerprint.description)
        let definitions = view.layout.definition.features
        if position < definitions.count {
          (served.windowMilliseconds, served.hopMilliseconds) = definitions[position].window.span
        }
        return served
      }, source: view.source, ttlMilliseconds: view.ttlMilliseconds, isRepartitioned: view.isRepartitioned,
      fingerprint: view.fingerprint.description)
  }
}

extension Window {
  /// How long it is and how it hops; nil of one without an end.
  fileprivate var span: (length: Int64?, hop: Int64?) {
    switch self {
    case .sliding(let length, let hop): (length, hop)
    case .tumbling(let length): (length, length)
    case .session, .lifetime, .lastEvents: (nil, nil)
    }
  }
}

extension ServingCatalog.Service {
  fileprivate init(_ service: ServicePlan) {
    self.init(
      name: service.name,
      features: service.features.map {
        ServingCatalog.ServiceFeature(
          name: $0.name, origin: ServingCatalog.Origin($0.origin), defaultValue: $0.defaultValue)
      }, fingerprint: service.fingerprint.description)
  }
}

extension ServingCatalog.Source {
  fileprivate init(_ source: SourcePlan) {
    self.init(name: source.name, topic: source.topic, push: PushTarget(source))
  }
}

extension PushTarget {
  /// - Returns: nil for a source whose events are no JSON.
  fileprivate init?(_ source: SourcePlan) {
    guard source.format == .json else { return nil }
    let contract = source.contract
    let time = contract.fields[source.columns[source.eventTime.column]]
    let fields = contract.fields.map { field in String(field.path.prefix { $0 != "." }) }
    self.init(
      fields: Set(fields), keyField: source.key.map { contract.fields[source.columns[$0]].path },
      eventTime: EventTimeField(
        name: time.path, encoding: time.type == .timestamp ? .text : .number(source.eventTime.unit)),
      check: { Self.faults(of: $0, against: contract) })
  }

  /// Every field is looked at, not only those that the plan reads: what is written stays.
  private static func faults(of values: [[UInt8]], against contract: Contract) -> [Fault] {
    do throws(HeadraceError) {
      let decoder = try RecordDecoder(contract: contract, format: .json, columns: Array(contract.fields.indices))
      for value in values { unsafe decoder.append(value.span.bytes) }
      var batch = decoder.makeBatch()
      var found: [RecordFault] = []
      try decoder.decode(into: &batch, faults: &found)
      return found.map { fault in
        let value = values[fault.row]
        let reason = unsafe fault.reason(in: contract, value: value.span.bytes)
        return Fault(row: fault.row, code: fault.code.rawValue, path: fault.path, message: reason)
      }
    } catch {
      return [Fault(row: 0, code: error.code, path: nil, message: error.message)]
    }
  }
}
