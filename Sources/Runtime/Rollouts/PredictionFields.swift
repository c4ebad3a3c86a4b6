internal import Contracts
internal import Core
internal import Kafka

/// Reads of predictions what a comparison of versions needs, a batch at a time.
struct PredictionFields: ~Copyable {
  /// One prediction.
  struct Prediction {
    /// `champion`, `canary`, `split`, `fallback`, `shadow`.
    var isChampion: Bool
    var isFallback: Bool
    var version: Int?
    var score: Double?
    var scoringNanoseconds: Double?
    var hasFailed: Bool
    /// The challenger should have answered, and did not.
    var hasChallengerFailed: Bool
    var agrees: Bool?
    var difference: Double?
  }

  private enum Field: Int, CaseIterable {
    case model, version, arm, score, scoringNanoseconds, error, failed, agrees, difference, revision

    var name: String {
      switch self {
      case .model: "model"
      case .version: "version"
      case .arm: "arm"
      case .score: "score"
      case .scoringNanoseconds: "scoring_ns"
      case .error: "error"
      case .failed: "failed"
      case .agrees: "agrees"
      case .difference: "difference"
      case .revision: "revision"
      }
    }
  }

  private var reader: JSONFieldReader
  private var bytes: [UInt8] = []
  private var ends: [UInt32] = []

  init() throws(HeadraceError) {
    reader = try JSONFieldReader(fields: Field.allCases.map { FieldPath(name: $0.name) })
  }

  /// Reads the values of a batch; what is no prediction is passed over.
  mutating func read(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    for index in records.indices {
      if let value = unsafe records[index].valueBytes { unsafe bytes.append(contentsOf: value) }
      bytes.append(UInt8(ascii: "\n"))
      ends.append(UInt32(clamping: bytes.count))
    }
    // Taken out for the call, which changes the reader beside it.
    var documents: [UInt8] = []
    swap(&documents, &bytes)
    defer { swap(&documents, &bytes) }
    try reader.read(documents.span, ends: ends)
  }

  /// The prediction of a record of the batch; nil when it is of another model, or none, or a later revision: versions
  /// are compared by what they said at the time.
  func prediction(_ index: Int, of model: String) -> Prediction? {
    guard reader.fault(document: index) == nil, text(index, .model) == model,
      value(index, .revision).kind == .missing
    else { return nil }
    let arm = text(index, .arm)
    return Prediction(
      isChampion: arm == "champion", isFallback: arm == "fallback", version: text(index, .version).flatMap { Int($0) },
      score: number(index, .score), scoringNanoseconds: number(index, .scoringNanoseconds),
      hasFailed: value(index, .error).kind != .missing, hasChallengerFailed: value(index, .failed).kind != .missing,
      agrees: boolean(index, .agrees), difference: number(index, .difference))
  }

  private func value(_ index: Int, _ field: Field) -> JSONValue {
    reader.value(document: index, field: field.rawValue)
  }

  private func text(_ index: Int, _ field: Field) -> String? {
    let value = value(index, field)
    guard value.kind == .string || value.kind == .integer else { return nil }
    return String(decoding: bytes[value.offset..<value.offset + value.count], as: UTF8.self)
  }

  private func number(_ index: Int, _ field: Field) -> Double? {
    let value = value(index, field)
    guard value.kind == .integer || value.kind == .decimal else { return nil }
    return Double(String(decoding: bytes[value.offset..<value.offset + value.count], as: UTF8.self))
  }

  private func boolean(_ index: Int, _ field: Field) -> Bool? {
    switch value(index, field).kind {
    case .true: true
    case .false: false
    default: nil
    }
  }
}
