internal import Columns
internal import Core
internal import Cost
internal import Expressions
internal import Features
internal import OnlineStore
internal import Synchronization
internal import Topology

/// The models of one source in one task: from a batch of events with their own features to one prediction of each
/// model for each event.
///
/// Rows of other sources and other tasks of this process are read as they are now, at the times of the events; derived
/// and on-demand features are computed for the whole batch; each model takes its columns, scores them in one call, and
/// writes one record for each event. Buffers are kept from batch to batch.
final class ScoringStage: @unchecked Sendable {
  // Unchecked: what changes belongs to the lane's thread, but for the spare batches, which have a lock.
  private let layout: ModelLayout
  private let models: [StreamModel]
  private let reader: FeatureReader
  private let modelMeters: [MeterTable.Slot]
  /// By model; nil of one whose predictions belong to one tenant.
  private let tenants: [TenantTally?]
  private let skippedMeters: [MeterTable.Slot]
  private let outputMeter: MeterTable.Slot
  private var computed: [ComputedFeature]
  private var keys = EntityKeys()
  private var ownedRows = OwnedRows()
  private var scratch = ExpressionScratch()
  private let spareBatches = Mutex<[ScoringBatch]>([])

  init(
    _ plan: Plan, source: Int, _ layout: ModelLayout, reader: FeatureReader, _ setting: PredictionWriter.Setting,
    _ account: CostAccount
  ) {
    let meters = account.meters
    self.layout = layout
    self.reader = reader
    computed = layout.computed
    models = layout.vectors.map { StreamModel(plan, $0, layout.blocks, setting) }
    modelMeters = layout.vectors.map { meters.slot(.models, .model(plan.models[$0.model].name)) }
    skippedMeters = layout.vectors.map { meters.slot(.skipped, .model(plan.models[$0.model].name)) }
    tenants = layout.vectors.map {
      TenantTally(plan.sources[source], .model(plan.models[$0.model].name), account.tenants)
    }
    outputMeter = meters.slot(.outputs, .source(plan.sources[source].name))
  }

  /// A batch that was used before. Any thread.
  func spareBatch() -> ScoringBatch? { spareBatches.withLock { $0.popLast() } }

  /// Any thread.
  func keepSpare(_ batch: ScoringBatch) { spareBatches.withLock { $0.append(batch) } }

  /// From the next batch on the versions of this epoch score.
  func take(_ epoch: ModelEpoch) { for model in models { model.take(epoch[model.index]) } }

  /// Scores a batch and writes what comes of it.
  func score(_ batch: ScoringBatch, _ outputs: PredictionOutputs, _ meters: ScoringMeters) {
    let start = meters.clock.lastNanoseconds
    readOthers(batch)
    compute(batch)
    // What models have in common is the first one's: it is done once for all of them.
    if let first = modelMeters.first { meters.clock.mark(first) }
    outputs.batchTrace = batch.batchTrace
    for (position, model) in models.enumerated() where model.isActive {
      model.score(batch, stride: layout.stride, computed: computed, &scratch)
      let rows = model.rows(of: batch)
      tenants[position]?.count(batch.scope, rows: rows)
      meters.clock.add(batch.rows.count - rows.count, .items, to: skippedMeters[position])
      meters.clock.mark(modelMeters[position], items: rows.count)
      model.write(batch, nowMilliseconds: WallClock.system.nowMilliseconds, to: outputs)
      meters.clock.mark(outputMeter)
    }
    meters.batchSizes.add(
      rows: batch.scope.rowCount, nanoseconds: batch.workerNanoseconds &+ (meters.clock.lastNanoseconds &- start))
  }

  private func readOthers(_ batch: ScoringBatch) {
    // Taken out for the time of the loop: each access to what an object holds is checked.
    var (matrix, isMissing) = ([Double](), [Bool]())
    swap(&matrix, &batch.matrix)
    swap(&isMissing, &batch.isMissing)
    defer {
      swap(&matrix, &batch.matrix)
      swap(&isMissing, &batch.isMissing)
    }
    let (stride, blockCount) = (layout.stride, layout.blocks.count)
    for (position, block) in layout.blocks.enumerated() where !block.isOwn {
      keys.encode(batch.scope.columns, parts: block.keyColumns, rowCount: batch.scope.rowCount)
      unsafe matrix.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        unsafe reader.gather(
          view: block.view, keys: keys, rows: batch.rows, at: batch.headers.eventTimesMilliseconds,
          into: FeatureMatrix(start: start + block.first, stride: stride, plan: block.gathered), &ownedRows
        ) { row in isMissing[row * blockCount + position] = true }
      }
    }
  }
}

// What is computed of features.
extension ScoringStage {
  /// Derived and on-demand features, for the whole batch.
  private func compute(_ batch: ScoringBatch) {
    let (matrix, stride, rowCount) = (batch.matrix, layout.stride, batch.scope.rowCount)
    for index in computed.indices {
      for (position, origin) in computed[index].inputs {
        switch origin {
        case .event(let column): computed[index].batch.columns[position] = batch.scope.columns[column]
        case .computed(let other): computed[index].batch.columns[position] = computed[other].result
        case .gathered(let column):
          computed[index].batch.columns[position].removeAll()
          for row in 0..<rowCount {
            computed[index].batch.columns[position].append(number: matrix[row * stride + column])
          }
        }
      }
      computed[index].batch.rowCount = rowCount
      var result = Column(computed[index].expression.type)
      swap(&result, &computed[index].result)
      computed[index].expression.evaluate(computed[index].batch, into: &result, scratch: &scratch)
      if computed[index].isOfOneRow {
        Self.forgetWhatIsNotRetained(computed[index], &result, matrix, stride: stride, rowCount: rowCount)
      }
      swap(&result, &computed[index].result)
      // What was lent is given back, so that its owner fills it in place.
      for (position, origin) in computed[index].inputs {
        if case .gathered = origin { continue }
        computed[index].batch.columns[position] = Column(computed[index].batch.columns[position].type)
      }
    }
  }

  /// As a read has it: nothing is said of a row of which a part is gone. Only late events have such rows.
  private static func forgetWhatIsNotRetained(
    _ feature: ComputedFeature, _ result: inout Column, _ matrix: [Double], stride: Int, rowCount: Int
  ) {
    var columns: [Int] = []
    for case (_, .gathered(let column)) in feature.inputs { columns.append(column) }
    func isForgotten(_ row: Int) -> Bool {
      columns.contains { GatherPlan.isNotRetained(matrix[row * stride + $0]) }
    }
    guard (0..<rowCount).contains(where: isForgotten) else { return }
    result = result.with(nullIn: isForgotten, rowCount: rowCount)
  }
}
