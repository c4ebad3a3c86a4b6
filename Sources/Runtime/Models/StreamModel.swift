internal import Columns
internal import Core
internal import Inference
internal import Kafka
internal import OnlineStore
internal import Topology

/// One model of a source in one task: its columns of the stage's matrix, its scores, and how they are written.
final class StreamModel {
  /// A position in `Plan.models`.
  let index: Int
  let columns: [VectorColumn]
  let featureCount: Int
  let outputCount: Int
  private let text: PredictionText
  private var scorer: Scorer
  private var vectors: [Float] = []
  private var scores: [Double] = []
  private var value: [UInt8] = []
  private var place: [UInt8] = []

  init(
    _ plan: Plan, _ index: Int, _ stream: StreamModelPlan, _ compiled: CompiledModel, _ columns: [VectorColumn]
  ) {
    self.index = index
    self.columns = columns
    featureCount = columns.count
    outputCount = compiled.model.outputCount
    text = PredictionText(plan, model: index, stream)
    scorer = compiled.makeScorer()
  }

  /// Fills the vectors of the rows, column by column, and scores them.
  func score(_ stage: ModelStage, _ batch: borrowing ColumnBatch, rows: [Int]) {
    let (cells, outputs) = (rows.count * featureCount, rows.count * outputCount)
    if vectors.count < cells { vectors += repeatElement(0, count: cells - vectors.count) }
    if scores.count < outputs { scores += repeatElement(0, count: outputs - scores.count) }
    Self.fill(&vectors, columns, stage, batch, rows)
    scorer.score(vectors, rowCount: rows.count, into: &scores)
  }

  /// Column by column: what a value is made of is decided once for all rows.
  private static func fill(
    _ vectors: inout [Float], _ columns: [VectorColumn], _ stage: ModelStage, _ batch: borrowing ColumnBatch,
    _ rows: [Int]
  ) {
    let (matrix, stride, width) = (stage.matrix, stage.stride, columns.count)
    for (position, column) in columns.enumerated() {
      let missing = Float(column.defaultValue)
      var index = position
      switch column.origin {
      case .gathered(let source):
        for row in rows {
          let number = matrix[row * stride + source]
          vectors[index] = number.isNaN ? missing : Float(number)
          index += width
        }
      case .event(let source):
        fill(&vectors, from: position, width, batch.columns[source], rows, missing)
      case .computed(let source):
        fill(&vectors, from: position, width, stage.computed[source].result, rows, missing)
      }
    }
  }

  private static func fill(
    _ vectors: inout [Float], from position: Int, _ width: Int, _ column: borrowing Column, _ rows: [Int],
    _ missing: Float
  ) {
    let scale = column.numberScale
    var index = position
    for row in rows {
      let number = column.number(row, scale: scale)
      vectors[index] = number.isNaN ? missing : Float(number)
      index += width
    }
  }

  /// Writes one prediction for each row.
  func write(
    _ stage: ModelStage, _ records: borrowing ConsumedBatch, first: Int, rows: [Int],
    headers: borrowing EventHeaders, nowMilliseconds: Int64, tracer: BatchTracer?, to outputs: TaskOutputs
  ) {
    for (index, row) in rows.enumerated() {
      let record = records[first + row]
      value.removeAll(keepingCapacity: true)
      place.removeAll(keepingCapacity: true)
      text.write(
        &value,
        PredictionText.Event(
          offset: record.offset, partition: headers.partition,
          eventTimeMilliseconds: headers.eventTimesMilliseconds[row],
          latencyMilliseconds: record.timestampMilliseconds > 0 ? nowMilliseconds - record.timestampMilliseconds : nil),
        scores: scores.span.extracting(index * outputCount..<(index + 1) * outputCount),
        vector: vectors.span.extracting(index * featureCount..<(index + 1) * featureCount), stage, row: row)
      text.writePlace(&place, partition: headers.partition, offset: record.offset)
      if let own = tracer?.header(ofRecord: first + row) {
        unsafe outputs.prediction(
          model: self.index, key: record.key, value: value.span.bytes, place: place.span.bytes,
          traceparent: own.span.bytes)
        continue
      }
      unsafe outputs.prediction(
        model: self.index, key: record.key, value: value.span.bytes, place: place.span.bytes,
        traceparent: record.headers.last("traceparent"))
    }
  }
}
