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
    case scores, features, answeredScore

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
      case .scores: "scores"
      case .features: "features"
      case .answeredScore: "answered_score"
      }
    }
  }

  /// By topic, for those that are not JSON.
  private let avro: [String: AvroText]
  private var reader: JSONFieldReader
  private var bytes: [UInt8] = []
  private var ends: [UInt32] = []

  init(_ avro: [String: AvroText]) throws(HeadraceError) {
    self.avro = avro
    reader = try JSONFieldReader(fields: Field.allCases.map { FieldPath(name: $0.name) })
  }

  /// Reads the values of a batch; what is no prediction is passed over.
  ///
  /// - Throws: `SCHEMA_NOT_HERE` while the schema of a record is on its way.
  mutating func read(_ records: borrowing ConsumedBatch) throws(HeadraceError) {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    let avro = avro[records.partition.topic]
    for index in records.indices {
      if let avro {
        try append(records[index], avro)
      } else if let value = unsafe records[index].valueBytes {
        unsafe bytes.append(contentsOf: value)
      }
      bytes.append(UInt8(ascii: "\n"))
      ends.append(UInt32(clamping: bytes.count))
    }
    // Taken out for the call, which changes the reader beside it.
    var documents: [UInt8] = []
    swap(&documents, &bytes)
    defer { swap(&documents, &bytes) }
    try reader.read(documents.span, ends: ends)
  }

  private mutating func append(_ record: borrowing ConsumedRecord, _ avro: AvroText) throws(HeadraceError) {
    guard let value = record.value else { return }
    let outcome = avro.append(value, to: &bytes)
    guard outcome == .unavailable else { return }
    throw HeadraceError(
      .external, "SCHEMA_NOT_HERE", "the schema of a prediction is not here yet", retry: .sameCall,
      remedy: "wait for the schema registry")
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
      hasFailed: value(index, .error).kind == .string, hasChallengerFailed: value(index, .failed).kind == .string,
      agrees: boolean(index, .agrees), difference: number(index, .difference))
  }

  /// What was answered where a shadow scored.
  func answeredScore(_ index: Int) -> Double? { number(index, .answeredScore) }

  /// The score, or each of several.
  func appendScores(_ index: Int, to row: inout [Double]) {
    if let score = number(index, .score) { row.append(score) } else { append(index, .scores, to: &row) }
  }

  /// The vector that was scored; NaN is missing.
  func appendFeatures(_ index: Int, to row: inout [Double]) { append(index, .features, to: &row) }

  /// Numbers and nulls between brackets: the grammar was checked when the document was read.
  private func append(_ index: Int, _ field: Field, to row: inout [Double]) {
    let value = value(index, field)
    guard value.kind == .array, value.count > 2 else { return }
    let inside = bytes[value.offset + 1..<value.offset + value.count - 1]
    for element in inside.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let digits = element.filter { $0 > UInt8(ascii: " ") }
      row.append(Double(String(decoding: digits, as: UTF8.self)) ?? .nan)
    }
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
