internal import Columns
internal import Core
internal import Expressions
internal import Features
internal import Topology

/// The matrix of one source's models: which features of which views it has, and what each model takes out of it.
struct ModelLayout {
  /// The features of one view in the matrix.
  struct Block {
    /// A position in `Plan.views`.
    var view: Int
    /// The first column.
    var first: Int
    /// Of the view's join keys, in the scope.
    var keyColumns: [Int]
    /// Its rows change with events of this source in this task.
    var isOwn: Bool
    /// The positions of the features that models need, column by column. Of an own view those that derived features
    /// are computed of stand in place of these.
    var features: [Int]
    /// The same of an own view.
    var gathered: GatherPlan
  }

  /// What one model takes.
  struct Vector {
    /// A position in `Plan.models`.
    var model: Int
    var stream: StreamModelPlan
    var columns: [VectorColumn]
  }

  private let plan: Plan
  private(set) var blocks: [Block] = []
  /// Columns of the matrix.
  private(set) var stride = 0
  private(set) var computed: [ComputedFeature] = []
  private(set) var vectors: [Vector] = []
  /// By what they are of: a position in the plan's on-demand features, or a view's derived feature.
  private var computedOnDemand: [Int: Int] = [:]
  private var computedDerived: [FeatureReference: Int] = [:]

  /// - Returns: nil when no model of the plan is for events of the source.
  init?(_ plan: Plan, source: Int) {
    self.plan = plan
    let streams = plan.models.enumerated().compactMap { index, model in
      model.source == source ? model.stream.map { (index: index, model: model, stream: $0) } : nil
    }
    guard !streams.isEmpty else { return nil }
    for (_, model, stream) in streams {
      let service = plan.services[model.service]
      for (position, view) in service.views.enumerated() {
        addBlock(view, source: source, keyColumns: stream.keyColumns[position])
      }
      for feature in service.features { need(feature.origin) }
    }
    layOutBlocks()
    for (index, model, stream) in streams {
      let service = plan.services[model.service]
      let columns = service.features.map { feature in
        VectorColumn(
          origin: origin(feature.origin, service, stream), defaultValue: Self.number(feature.defaultValue))
      }
      vectors.append(Vector(model: index, stream: stream, columns: columns))
    }
  }

  private mutating func addBlock(_ view: Int, source: Int, keyColumns: [Int]) {
    guard !blocks.contains(where: { $0.view == view }) else { return }
    let isOwn = plan.views[view].source == source && !plan.views[view].isRepartitioned
    blocks.append(
      Block(
        view: view, first: 0, keyColumns: keyColumns, isOwn: isOwn, features: [],
        gathered: plan.views[view].layout.gatherPlan(of: [])))
  }

  /// Notes which features of which blocks a value is made of.
  private mutating func need(_ origin: ValueOrigin) {
    switch origin {
    case .request: break
    case .onDemand(let index): for input in plan.onDemand[index].inputs { need(input) }
    case .feature(let reference):
      for feature in inputs(of: reference) ?? [reference.feature] {
        guard let block = blocks.firstIndex(where: { $0.view == reference.view }),
          !blocks[block].features.contains(feature)
        else { continue }
        blocks[block].features.append(feature)
      }
    }
  }

  /// The aggregates that a derived feature is computed of for the whole batch at once; nil for one that is read row by
  /// row: of another task's row, or of values that are no numbers.
  private func inputs(of reference: FeatureReference) -> [Int]? {
    let layout = plan.views[reference.view].layout
    let aggregates = layout.definition.features.count
    guard reference.feature >= aggregates, blocks.contains(where: { $0.view == reference.view && $0.isOwn }) else {
      return nil
    }
    let inputs = layout.definition.derived[reference.feature - aggregates].expression.inputs
    let types = layout.featureTypes
    let areNumbers = inputs.allSatisfy { input in
      switch types[input].type.scalar {
      case .boolean, .integer, .double, .timestamp, .date: true
      case .decimal, .string, .bytes, nil: false
      }
    }
    return areNumbers ? inputs : nil
  }

  private mutating func layOutBlocks() {
    for index in blocks.indices {
      blocks[index].first = stride
      blocks[index].gathered = plan.views[blocks[index].view].layout.gatherPlan(of: blocks[index].features)
      stride += blocks[index].features.count
    }
  }

  /// Where a value is; what is computed is added on the way, behind its inputs.
  private mutating func origin(
    _ origin: ValueOrigin, _ service: ServicePlan, _ stream: StreamModelPlan
  ) -> VectorColumn.Origin {
    switch origin {
    case .feature(let reference): return self.origin(reference)
    case .request(let field):
      let position = service.requestFields.firstIndex(of: field) ?? 0
      return .event(stream.requestColumns[position])
    case .onDemand(let index):
      if let known = computedOnDemand[index] { return .computed(known) }
      let onDemand = plan.onDemand[index]
      var inputs: [VectorColumn.Origin] = []
      for input in onDemand.inputs { inputs.append(self.origin(input, service, stream)) }
      computed.append(
        ComputedFeature(
          onDemand.expression, inputs: inputs.enumerated().map { ($0, $1) }, types: onDemand.inputs.map(type)))
      computedOnDemand[index] = computed.count - 1
      return .computed(computed.count - 1)
    }
  }

  private mutating func origin(_ reference: FeatureReference) -> VectorColumn.Origin {
    guard let inputs = inputs(of: reference) else { return .gathered(column(reference.view, reference.feature)) }
    if let known = computedDerived[reference] { return .computed(known) }
    let layout = plan.views[reference.view].layout
    let aggregates = layout.definition.features.count
    let expression = layout.definition.derived[reference.feature - aggregates].expression
    computed.append(
      ComputedFeature(
        expression, inputs: inputs.map { ($0, .gathered(column(reference.view, $0))) },
        types: layout.featureTypes[..<aggregates].map(\.type.element), isOfOneRow: true))
    computedDerived[reference] = computed.count - 1
    return .computed(computed.count - 1)
  }

  private func column(_ view: Int, _ feature: Int) -> Int {
    guard let block = blocks.first(where: { $0.view == view }) else { return 0 }
    return block.first + (block.features.firstIndex(of: feature) ?? 0)
  }

  private func type(of origin: ValueOrigin) -> ColumnType {
    switch origin {
    case .feature(let reference): plan.views[reference.view].features[reference.feature].type.element
    case .request(let field): plan.requestFields[field].type
    case .onDemand(let index): plan.onDemand[index].expression.type
    }
  }

  private static func number(_ value: Value) -> Double {
    switch value {
    case .boolean(let flag): flag ? 1 : 0
    case .integer(let number): Double(number)
    case .double(let number): number
    default: .nan
    }
  }
}
