internal import Topology

/// How the predictions of one version are written: in the form that the model declares, and where each comes from.
final class PredictionWriter: Sendable {
  /// What is not the plan's.
  struct Setting: Sendable {
    /// Ids of the schemas at the registry, by topic.
    var schemaIDs: [String: Int32] = [:]
    /// nil: nobody says what anything costs.
    var costs: PredictionCosts?
  }

  private let isAvro: Bool
  private let text: PredictionText
  private let record: PredictionRecord
  /// `topic/`.
  private let placePrefix: [UInt8]

  /// - Parameters:
  ///   - blocks: whose views may be missing.
  ///   - version: nil for a constant.
  ///   - arm: what its part is; nil for a model that is a file of the topology's folder, and has no other.
  init(
    _ plan: Plan, model index: Int, _ stream: StreamModelPlan, _ blocks: [ModelLayout.Block],
    version: ModelArms.Version?, _ arm: String?,
    _ setting: Setting
  ) {
    isAvro = stream.format != .json
    let currency = setting.costs?.currency
    text = PredictionText(plan, model: index, stream, blocks, version: version, arm, currency: currency)
    record = PredictionRecord(
      plan, model: index, stream, blocks, version: version, arm, currency: currency, setting.schemaIDs)
    // Names of topics are made of letters, digits, `.`, `_` and `-`.
    placePrefix = Array("\(plan.sources[plan.models[index].source].topic)/".utf8)
  }

  /// `topic/partition@offset`.
  func writePlace(_ bytes: inout [UInt8], partition: Int32, offset: Int64) {
    bytes += placePrefix
    bytes.appendNumber(Int64(partition))
    bytes.append(UInt8(ascii: "@"))
    bytes.appendNumber(offset)
  }

  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>
  ) {
    if isAvro {
      record.write(&bytes, event, scores: scores, vector: vector, missing: missing)
    } else {
      text.write(&bytes, event, scores: scores, vector: vector, missing: missing)
    }
  }

  /// Writes what a shadow says, and how that compares with what was answered.
  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>,
    comparedWith answered: Span<Double>, of other: PredictionWriter
  ) {
    if isAvro {
      record.write(
        &bytes, event, scores: scores, vector: vector, missing: missing, comparedWith: answered, of: other.record)
    } else {
      text.write(
        &bytes, event, scores: scores, vector: vector, missing: missing, comparedWith: answered, of: other.text)
    }
  }
}
