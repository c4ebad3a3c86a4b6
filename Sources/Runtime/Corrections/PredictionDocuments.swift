internal import Contracts
internal import Core
internal import Kafka

/// The members of predictions that a correction keeps, replaces or looks at, a batch at a time.
struct PredictionDocuments: ~Copyable {
  enum Field: String, CaseIterable {
    case id, model, modelVersion = "model_version", service, serviceVersion = "service_version", features
    case featuresHash = "features_hash", missingViews = "missing_views", score, topic, partition, offset
    case eventTime = "event_time", revision
  }

  private var reader: JSONFieldReader
  private var bytes: [UInt8] = []
  private var ends: [UInt32] = []
  private let numbers: [Field: Int]

  init() throws(HeadraceError) {
    reader = try JSONFieldReader(fields: Field.allCases.map { FieldPath(name: $0.rawValue) })
    numbers = Dictionary(Field.allCases.enumerated().map { ($1, $0) }) { first, _ in first }
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

  /// The offset of the event that a record of the batch predicts for; nil when it is no prediction of the model.
  func eventOffset(_ index: Int, of model: String) -> Int64? {
    guard reader.fault(document: index) == nil, text(index, .model) == model else { return nil }
    return integer(index, .offset)
  }

  func text(_ index: Int, _ field: Field) -> String? {
    let value = value(index, field)
    guard value.kind == .string else { return nil }
    return String(decoding: bytes[value.range], as: UTF8.self)
  }

  func integer(_ index: Int, _ field: Field) -> Int64? {
    let value = value(index, field)
    guard value.kind == .integer else { return nil }
    return Int64(String(decoding: bytes[value.range], as: UTF8.self))
  }

  func number(_ index: Int, _ field: Field) -> Double? {
    let value = value(index, field)
    guard value.kind == .integer || value.kind == .decimal else { return nil }
    return Double(String(decoding: bytes[value.range], as: UTF8.self))
  }

  /// A member as it is written, quotes and brackets included; nil when it is missing.
  func raw(_ index: Int, _ field: Field) -> ArraySlice<UInt8>? {
    let value = value(index, field)
    switch value.kind {
    case .missing: return nil
    case .string, .escapedString: return bytes[value.offset - 1..<value.offset + value.count + 1]
    default: return bytes[value.range]
    }
  }

  /// Appends the vector as it was recorded: numbers of single precision, NaN for null.
  ///
  /// - Returns: false when it has another length, or is not there; nothing is appended then.
  func appendVector(_ index: Int, count: Int, to vectors: inout [Float]) -> Bool {
    guard value(index, .features).kind == .array, let text = raw(index, .features) else { return false }
    let start = vectors.count
    for part in text.dropFirst().dropLast().split(separator: UInt8(ascii: ",")) {
      let word = String(decoding: part, as: UTF8.self)
      // Beyond every double is an infinity, as it was written.
      let number =
        word == "null" ? Float.nan : word == "1e999" ? .infinity : word == "-1e999" ? -.infinity : Float(word)
      guard let number else { break }
      vectors.append(number)
    }
    guard vectors.count - start == count else {
      vectors.removeLast(vectors.count - start)
      return false
    }
    return true
  }

  private func value(_ index: Int, _ field: Field) -> JSONValue {
    reader.value(document: index, field: numbers[field] ?? 0)
  }
}
