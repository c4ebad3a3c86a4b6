internal import Core
internal import RemoteModels
internal import Topology

/// Writes predictions as Avro (`PredictionSchema`, field by field in its order): what is the same in every record is
/// made once.
struct PredictionRecord {
  private let threshold: Double?
  private let features: PredictionFeatures
  /// Confluent's framing, a zero byte and the schema's id; empty for plain Avro.
  private let frame: [UInt8]
  /// `topic-`.
  private let idPrefix: [UInt8]
  /// `/model`, and of a shadow which version.
  private let idSuffix: [UInt8]
  /// From the model's name to the service's version.
  private let head: [UInt8]
  private let topic: [UInt8]
  /// The views, by the layout's blocks.
  private let blockNames: [[UInt8]]
  private let version: Int64
  private let currency: [UInt8]
  private let isShadow: Bool

  init(
    _ plan: Plan, model index: Int, _ stream: StreamModelPlan, _ blocks: [ModelLayout.Block],
    version: ModelArms.Version?, _ arm: String?,
    currency: String?, _ schemaIDs: [String: Int32]
  ) {
    let model = plan.models[index]
    let service = plan.services[model.service]
    let topic = plan.sources[model.source].topic
    isShadow = arm == "shadow"
    threshold = stream.threshold
    features = stream.features
    let id = schemaIDs[isShadow ? stream.shadowTopic : model.outputTopic] ?? 0
    frame =
      stream.format == .avroConfluent
      ? [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> $0) } : []
    idPrefix = Array("\(topic)-".utf8)
    let suffix = isShadow ? "/shadow-\(version?.number.map(String.init) ?? "file")" : ""
    idSuffix = Array("/\(model.name)\(suffix)".utf8)
    var head: [UInt8] = []
    head.appendAvro(text: Array(model.name.utf8))
    head.appendAvro(optional: (version?.contentHash).map { Array($0.utf8) })
    if let number = version?.number {
      head.appendAvro(branch: 1)
      head.appendAvro(Int64(number))
    } else {
      head.appendAvro(branch: 0)
    }
    head.appendAvro(optional: arm.map { Array($0.utf8) })
    head.appendAvro(text: Array(service.name.utf8))
    head.appendAvro(text: Array(service.fingerprint.description.utf8))
    self.head = head
    self.topic = Array(topic.utf8)
    blockNames = blocks.map { Array(plan.views[$0.view].name.utf8) }
    self.version = Int64(version?.number ?? 0)
    self.currency = Array((currency ?? "").utf8)
  }

  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>
  ) {
    bytes += frame
    writeID(&bytes, event)
    bytes += head
    writeScores(&bytes, scores)
    writeFeatures(&bytes, vector)
    writeMissing(&bytes, missing)
    bytes.appendAvro(text: topic)
    bytes.appendAvro(Int64(event.partition))
    bytes.appendAvro(event.offset)
    bytes.appendAvro(event.eventTimeMilliseconds)
    bytes.appendAvro(optional: event.latencyMilliseconds)
    bytes.appendAvro(optional: event.scoringNanoseconds)
    if let cost = event.cost {
      bytes.appendAvro(optional: cost)
      bytes.appendAvro(branch: 1)
      bytes.appendAvro(text: currency)
    } else {
      bytes.appendAvro(branch: 0)
      bytes.appendAvro(branch: 0)
    }
    guard let isChallenger = event.failedIsChallenger else {
      bytes.appendAvro(branch: 0)
      return bytes.appendAvro(branch: 0)
    }
    bytes.appendAvro(branch: 1)
    let failure = event.failure?.rawValue ?? "not_a_number"
    bytes.appendAvro(Int64(failure.utf8.count))
    bytes += failure.utf8
    bytes.appendAvro(branch: isChallenger ? 1 : 0)
    if isChallenger { bytes.appendAvro(text: Self.challenger) }
  }

  private static let challenger = Array("challenger".utf8)

  /// Writes what a shadow says, and how that compares with what was answered.
  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>,
    comparedWith answered: Span<Double>, of record: PredictionRecord
  ) {
    write(&bytes, event, scores: scores, vector: vector, missing: missing)
    bytes.appendAvro(record.version)
    bytes.appendAvro(optional: answered.count == 1 ? answered[0] : nil)
    if let mine = PredictedEvent.decision(scores, threshold), let other = PredictedEvent.decision(answered, threshold) {
      bytes.appendAvro(branch: 1)
      bytes.append(mine == other ? 1 : 0)
    } else {
      bytes.appendAvro(branch: 0)
    }
    bytes.appendAvro(optional: answered.count == scores.count ? PredictedEvent.difference(scores, answered) : nil)
  }

  /// Its length comes first, so that it is counted before it is written.
  private func writeID(_ bytes: inout [UInt8], _ event: PredictedEvent) {
    let (partition, offset) = (Int64(event.partition), event.offset)
    let digits = [UInt8].digitCount(partition) + 1 + [UInt8].digitCount(offset)
    bytes.appendAvro(Int64(idPrefix.count + digits + idSuffix.count))
    bytes += idPrefix
    bytes.appendNumber(partition)
    bytes.append(UInt8(ascii: "-"))
    bytes.appendNumber(offset)
    bytes += idSuffix
  }

  private func writeScores(_ bytes: inout [UInt8], _ scores: Span<Double>) {
    let isOne = scores.count == 1
    bytes.appendAvro(optional: isOne ? scores[0] : nil)
    if let threshold {
      bytes.appendAvro(branch: isOne ? 1 : 0)
      if isOne { bytes.append(scores[0] >= threshold ? 1 : 0) }
      return
    }
    guard !isOne else {
      bytes.appendAvro(branch: 0)
      return bytes.appendAvro(branch: 0)
    }
    bytes.appendAvro(branch: 1)
    bytes.appendAvro(Int64(scores.count))
    for index in scores.indices { bytes.appendAvro(optional: scores[index]) }
    bytes.appendAvro(0)
    bytes.appendAvro(branch: 1)
    bytes.appendAvro(Int64(PredictedEvent.largest(scores)))
  }

  private func writeFeatures(_ bytes: inout [UInt8], _ vector: Span<Float>) {
    switch features {
    case .none: break
    case .full:
      // An empty block would end the array.
      if !vector.isEmpty { bytes.appendAvro(Int64(vector.count)) }
      for index in vector.indices { bytes.appendAvro(optional: vector[index]) }
      bytes.appendAvro(0)
    case .hash:
      bytes.appendAvro(16)
      unsafe bytes.appendHexadecimal(Hash64.hash(vector.bytes))
    }
  }

  /// Views whose rows could not be asked for.
  private func writeMissing(_ bytes: inout [UInt8], _ missing: Span<Bool>) {
    var count: Int64 = 0
    for block in missing.indices where missing[block] { count += 1 }
    guard count > 0 else { return bytes.appendAvro(0) }
    bytes.appendAvro(count)
    for block in missing.indices where missing[block] { bytes.appendAvro(text: blockNames[block]) }
    bytes.appendAvro(0)
  }
}

// Avro's binary encoding (specification 1.12, "Binary encoding").
extension [UInt8] {
  /// A zig-zag varint.
  @inline(__always)
  fileprivate mutating func appendAvro(_ number: Int64) {
    var rest = UInt64(bitPattern: (number << 1) ^ (number >> 63))
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Which branch of a union follows: 0 is null in ours.
  @inline(__always)
  fileprivate mutating func appendAvro(branch: Int) { append(UInt8(truncatingIfNeeded: branch << 1)) }

  fileprivate mutating func appendAvro(text: [UInt8]) {
    appendAvro(Int64(text.count))
    self += text
  }

  fileprivate mutating func appendAvro(optional text: [UInt8]?) {
    appendAvro(branch: text == nil ? 0 : 1)
    if let text { appendAvro(text: text) }
  }

  fileprivate mutating func appendAvro(optional number: Int64?) {
    appendAvro(branch: number == nil ? 0 : 1)
    if let number { appendAvro(number) }
  }

  /// Null of NaN, as in JSON.
  fileprivate mutating func appendAvro(optional number: Double?) {
    guard let number, !number.isNaN else { return appendAvro(branch: 0) }
    appendAvro(branch: 1)
    var bits = number.bitPattern
    for _ in 0..<8 {
      append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
    }
  }

  fileprivate mutating func appendAvro(optional number: Float) {
    guard !number.isNaN else { return appendAvro(branch: 0) }
    appendAvro(branch: 1)
    var bits = number.bitPattern
    for _ in 0..<4 {
      append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
    }
  }

  /// Of a number that is not negative, as `appendNumber` writes it.
  fileprivate static func digitCount(_ number: Int64) -> Int {
    var (count, rest) = (1, number.magnitude / 10)
    while rest > 0 {
      count += 1
      rest /= 10
    }
    return count
  }
}
