internal import Core
internal import Storage

/// Where a training of trees stands: a line of JSON, then the model so far.
struct XGBoostCheckpoint {
  /// Rounds that the model has.
  var round: Int
  /// Rounds of the best one so far, and its metric; 0 and infinity before there is one.
  var bestRounds = 0
  var bestMetric = Double.infinity
  var model: [UInt8]

  private static let version = 1
  private static let lineBytesMax = 1_024

  var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.object { json in
      json.member("version", Self.version)
      json.member("round", round)
      json.member("best_rounds", bestRounds)
      // All bits of it: what is compared with it later must not depend on digits.
      json.member("best_metric_bits", bestMetric.bitPattern)
      json.member("sha256", ContentHash.sha256(model))
    }
    return writer.bytes + [UInt8(ascii: "\n")] + model
  }

  init(round: Int, model: [UInt8]) {
    self.round = round
    self.model = model
  }

  /// Nil when it is not what `bytes` wrote: the training begins anew then.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.prefix(Self.lineBytesMax).firstIndex(of: UInt8(ascii: "\n")),
      let line = try? JSONDocument(Array(bytes[..<end]), depthMax: 2),
      line["version"]?.integer == Int64(Self.version),
      let round = line["round"]?.integer.flatMap({ Int(exactly: $0) }), round > 0,
      let best = line["best_rounds"]?.integer.flatMap({ Int(exactly: $0) }), best >= 0, best <= round,
      case .number(let bits)? = line["best_metric_bits"]?.content, let pattern = UInt64(bits)
    else { return nil }
    model = Array(bytes[(end + 1)...])
    guard line["sha256"]?.string == ContentHash.sha256(model) else { return nil }
    self.round = round
    bestRounds = best
    bestMetric = Double(bitPattern: pattern)
  }
}
