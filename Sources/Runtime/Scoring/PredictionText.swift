internal import Core
internal import RemoteModels
internal import Topology

/// Writes predictions as JSON, byte by byte: what is the same in every record is made once.
struct PredictionText {
  private let threshold: Double?
  private let features: PredictionFeatures
  /// `{"id":"topic-`.
  private let idPrefix: [UInt8]
  /// `/model","model":"…",…`, up to the scores.
  private let head: [UInt8]
  /// Of the version, as a comparison names it.
  private let versionText: [UInt8]
  /// `,"topic":"…"`.
  private let topic: [UInt8]
  /// The views, by the layout's blocks.
  private let blockNames: [[UInt8]]
  /// `,"currency":"…"`; empty without prices.
  private let currency: [UInt8]

  /// - Parameters:
  ///   - blocks: whose views may be missing.
  ///   - version: nil for a constant.
  ///   - arm: what its part is; nil for a model that is a file of the topology's folder, and has no other.
  init(
    _ plan: Plan, model index: Int, _ stream: StreamModelPlan, _ blocks: [ModelLayout.Block],
    version: ModelArms.Version?, _ arm: String?,
    currency: String?
  ) {
    let model = plan.models[index]
    let service = plan.services[model.service]
    let topic = plan.sources[model.source].topic
    threshold = stream.threshold
    features = stream.features
    // Names of models, services, topics and views are made of letters, digits, `.`, `_` and `-`.
    idPrefix = Array("{\"id\":\"\(topic)-".utf8)
    let suffix = arm == "shadow" ? "/shadow-\(version?.number.map(String.init) ?? "file")" : ""
    let number = version?.number.map { "\"version\":\($0)," } ?? ""
    let hash = version.map { "\"model_version\":\"\($0.contentHash)\"," } ?? ""
    let part = arm.map { "\"arm\":\"\($0)\"," } ?? ""
    head = Array(
      """
      /\(model.name)\(suffix)","model":"\(model.name)",\(hash)\(number)\(part)\
      "service":"\(service.name)","service_version":"\(service.fingerprint)"
      """.utf8)
    versionText = Array("\(version?.number ?? 0)".utf8)
    self.topic = Array(",\"topic\":\"\(topic)\",\"partition\":".utf8)
    blockNames = blocks.map { Array("\"\(plan.views[$0.view].name)\"".utf8) }
    var quoted: [UInt8] = []
    JSONText.appendString(currency ?? "", to: &quoted)
    self.currency = currency == nil ? [] : Array(",\"currency\":".utf8) + quoted
  }

  /// Writes what a shadow says, and how that compares with what was answered.
  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>,
    comparedWith answered: Span<Double>, of text: PredictionText
  ) {
    write(&bytes, event, scores: scores, vector: vector, missing: missing)
    // Open again behind the last member.
    bytes.removeLast()
    bytes.append(",\"answered_version\":")
    bytes += text.versionText
    if answered.count == 1 {
      bytes.append(",\"answered_score\":")
      bytes.appendNumber(answered[0])
    }
    if let mine = PredictedEvent.decision(scores, threshold), let other = PredictedEvent.decision(answered, threshold) {
      bytes.append(mine == other ? ",\"agrees\":true" : ",\"agrees\":false")
    }
    if answered.count == scores.count {
      bytes.append(",\"difference\":")
      bytes.appendNumber(PredictedEvent.difference(scores, answered))
    }
    bytes.append(UInt8(ascii: "}"))
  }

  func write(
    _ bytes: inout [UInt8], _ event: PredictedEvent, scores: Span<Double>, vector: Span<Float>, missing: Span<Bool>
  ) {
    bytes += idPrefix
    bytes.appendNumber(Int64(event.partition))
    bytes.append(UInt8(ascii: "-"))
    bytes.appendNumber(event.offset)
    bytes += head
    writeScores(&bytes, scores)
    writeFeatures(&bytes, vector)
    writeMissing(&bytes, missing)
    bytes += topic
    bytes.appendNumber(Int64(event.partition))
    bytes.append(",\"offset\":")
    bytes.appendNumber(event.offset)
    bytes.append(",\"event_time\":")
    bytes.appendNumber(event.eventTimeMilliseconds)
    if let latency = event.latencyMilliseconds {
      bytes.append(",\"latency_ms\":")
      bytes.appendNumber(latency)
    }
    if let nanoseconds = event.scoringNanoseconds {
      bytes.append(",\"scoring_ns\":")
      bytes.appendNumber(nanoseconds)
    }
    if let cost = event.cost {
      bytes.append(",\"cost\":")
      bytes.appendNumber(cost)
      bytes += currency
    }
    if let isChallenger = event.failedIsChallenger {
      bytes.append(",\"error\":\"")
      bytes += (event.failure?.rawValue ?? "not_a_number").utf8
      bytes.append(UInt8(ascii: "\""))
      if isChallenger { bytes.append(",\"failed\":\"challenger\"") }
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private func writeScores(_ bytes: inout [UInt8], _ scores: Span<Double>) {
    guard scores.count != 1 else {
      bytes.append(",\"score\":")
      bytes.appendNumber(scores[0])
      if let threshold { bytes.append(scores[0] >= threshold ? ",\"label\":true" : ",\"label\":false") }
      return
    }
    bytes.append(",\"scores\":[")
    var best = 0
    for index in scores.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.appendNumber(scores[index])
      if scores[index] > scores[best] { best = index }
    }
    bytes.append("],\"label\":")
    bytes.appendNumber(Int64(best))
  }

  private func writeFeatures(_ bytes: inout [UInt8], _ vector: Span<Float>) {
    switch features {
    case .none: break
    case .full:
      bytes.append(",\"features\":[")
      for index in vector.indices {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.appendNumber(vector[index])
      }
      bytes.append(UInt8(ascii: "]"))
    case .hash:
      bytes.append(",\"features_hash\":\"")
      unsafe bytes.appendHexadecimal(Hash64.hash(vector.bytes))
      bytes.append(UInt8(ascii: "\""))
    }
  }

  /// Views whose rows could not be asked for: their features have the service's defaults.
  private func writeMissing(_ bytes: inout [UInt8], _ missing: Span<Bool>) {
    var count = 0
    for block in missing.indices where missing[block] {
      bytes.append(count == 0 ? ",\"missing_views\":[" : ",")
      bytes += blockNames[block]
      count += 1
    }
    if count > 0 { bytes.append(UInt8(ascii: "]")) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func append(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  mutating func appendNumber(_ number: Int64) {
    // Filled from its end; what is in front of the digits is the sign.
    var text = InlineArray<20, UInt8>(repeating: UInt8(ascii: "-"))
    var start = text.count
    var rest = number.magnitude
    repeat {
      start -= 1
      text[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    append(text.span.extracting((number < 0 ? start - 1 : start)..<text.count))
  }

  /// The shortest digits that read back as the same number; null of NaN. JSON has no infinity: what is beyond every
  /// double reads back as one.
  fileprivate mutating func appendNumber<Number: BinaryFloatingPoint & TextOutputStreamable>(_ number: Number) {
    guard number.isFinite else { return append(number.isNaN ? "null" : number > 0 ? "1e999" : "-1e999") }
    var digits = NumberDigits()
    number.write(to: &digits)
    append(digits.bytes.span.extracting(0..<digits.count))
  }

  mutating func appendHexadecimal(_ number: UInt64) {
    var text = InlineArray<16, UInt8>(repeating: 0)
    for index in text.indices {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
      text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
    append(text.span)
  }
}
