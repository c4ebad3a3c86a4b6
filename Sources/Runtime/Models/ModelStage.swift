internal import Columns
internal import Core
internal import Expressions
internal import Features
internal import OnlineStore
internal import Topology

/// The models of one source in one task: from the rows of a batch to one vector and one prediction for each event.
///
/// Features of views whose rows change with the same events are gathered while the batch is applied, row by row, so
/// that an event sees itself and nothing behind it. Rows of other sources and other tasks of this process are read when
/// the batch is applied. Everything goes into one matrix for the batch; each model takes its columns out of it, scores
/// them in one call, and writes one record for each event. Buffers are kept from batch to batch.
final class ModelStage {
  /// The features of one view in the matrix.
  struct Block {
    /// A position in `Plan.views`.
    var view: Int
    /// The first column.
    var first: Int
    var width: Int
    /// Of the view's join keys, in the scope.
    var keyColumns: [Int]
    /// Its rows change with events of this source in this task.
    var isOwn: Bool
    /// The positions of its features, for reads.
    var features: [Int]
  }

  let plan: Plan
  private(set) var blocks: [Block] = []
  /// Columns of the matrix.
  private(set) var stride = 0
  var computed: [ComputedFeature] = []
  private var computedOf: [Int: Int] = [:]
  private(set) var models: [StreamModel] = []
  /// Whether any of them has a version that scores.
  private(set) var isActive = false
  let reader: FeatureReader

  /// Row by row of the batch, `stride` doubles each; NaN is null.
  var matrix: [Double] = []
  /// For each row and block whether its rows could not be asked for.
  var isMissing: [Bool] = []
  /// By row of the batch: whether the view that is applied takes it.
  var applies: [Bool] = []
  /// Rows that are read of the view that is applied.
  var readRows: [Int] = []
  var keys = EntityKeys()
  var key = EntityKey(bytes: [])
  var values: [FeatureValue] = []

  /// - Returns: nil when no model of the plan is for events of the source.
  init?(_ plan: Plan, source: Int, reader: FeatureReader) {
    self.plan = plan
    self.reader = reader
    for (index, model) in plan.models.enumerated() where model.source == source {
      guard let stream = model.stream else { continue }
      let service = plan.services[model.service]
      for (position, view) in service.views.enumerated() {
        addBlock(view, source: source, keyColumns: stream.keyColumns[position])
      }
      let columns = service.features.map { feature in
        VectorColumn(
          origin: origin(feature.origin, service, stream), defaultValue: Self.number(feature.defaultValue))
      }
      models.append(StreamModel(plan, index, stream, columns))
    }
    guard !models.isEmpty else { return nil }
  }

  /// From the next event on the versions of this epoch score.
  func take(_ epoch: ModelEpoch) {
    for model in models { model.take(epoch[model.index]) }
    isActive = models.contains(where: \.isActive)
  }

  private func addBlock(_ view: Int, source: Int, keyColumns: [Int]) {
    guard !blocks.contains(where: { $0.view == view }) else { return }
    let width = plan.views[view].features.count
    let isOwn = plan.views[view].source == source && !plan.views[view].isRepartitioned
    blocks.append(
      Block(
        view: view, first: stride, width: width, keyColumns: keyColumns, isOwn: isOwn, features: Array(0..<width)))
    stride += width
  }

  /// Where a value is; what is computed is added on the way, behind its inputs.
  private func origin(
    _ origin: ValueOrigin, _ service: ServicePlan, _ stream: StreamModelPlan
  ) -> VectorColumn.Origin {
    switch origin {
    case .feature(let reference):
      let block = blocks.first { $0.view == reference.view }
      return .gathered((block?.first ?? 0) + reference.feature)
    case .request(let field):
      let position = service.requestFields.firstIndex(of: field) ?? 0
      return .event(stream.requestColumns[position])
    case .onDemand(let index):
      if let known = computedOf[index] { return .computed(known) }
      let onDemand = plan.onDemand[index]
      let inputs = onDemand.inputs.map { self.origin($0, service, stream) }
      computed.append(ComputedFeature(onDemand, inputs: inputs, types: onDemand.inputs.map(type)))
      computedOf[index] = computed.count - 1
      return .computed(computed.count - 1)
    }
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
