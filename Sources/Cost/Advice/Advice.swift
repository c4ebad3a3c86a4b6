/// What would cost less, and how much.
package struct Advice: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case unusedFeature = "unused_feature"
    case wideWindow = "wide_window"
    case smallBatches = "small_batches"
    case idle
  }

  package var kind: Kind
  package var subject: String
  /// A sentence with the figures that it stands on.
  package var reason: String
  /// A sentence that says what to do.
  package var remedy: String
  /// Of the subject's own cost, between 0 and 1; nil when nobody can say.
  package var savedShare: Double?
}

/// A feature as it is defined and as it is used.
package struct FeatureUse: Sendable, Equatable {
  package var view: String
  package var name: String
  /// Of its window; nil of windows without an end.
  package var windowMilliseconds: Int64?
  package var hopMilliseconds: Int64?
  /// Age past which the view's values are null.
  package var ttlMilliseconds: Int64?
  package var isInService: Bool
  /// Values that were served since the process started.
  package var reads: Int64

  package init(
    view: String, name: String, windowMilliseconds: Int64?, hopMilliseconds: Int64?, ttlMilliseconds: Int64?,
    isInService: Bool, reads: Int64
  ) {
    self.view = view
    self.name = name
    self.windowMilliseconds = windowMilliseconds
    self.hopMilliseconds = hopMilliseconds
    self.ttlMilliseconds = ttlMilliseconds
    self.isInService = isInService
    self.reads = reads
  }

  /// How many tiles a row keeps for it.
  var tiles: Double {
    guard let window = windowMilliseconds, let hop = hopMilliseconds, hop > 0 else { return 1 }
    return Double(window) / Double(hop) + 1
  }
}

extension Advice {
  /// What the use of features, the sizes of batches and the idle share say.
  package static func find(_ features: [FeatureUse], _ curve: BatchCurve, _ usage: UsageReport) -> [Advice] {
    unused(features) + wide(features) + batches(curve) + idle(usage)
  }

  private static func unused(_ features: [FeatureUse]) -> [Advice] {
    features.filter { !$0.isInService && $0.reads == 0 }.map { feature in
      let tiles = features.filter { $0.view == feature.view }.reduce(0) { $0 + $1.tiles }
      return Advice(
        kind: .unusedFeature, subject: "\(feature.view):\(feature.name)",
        reason: "no service has it, and nobody has read it since the process started",
        remedy: "take it out of the topology, or into the service that is meant to have it",
        savedShare: tiles > 0 ? feature.tiles / tiles : nil)
    }
  }

  /// Windows that no value can fill, and such that hold most of a view's tiles for one feature.
  private static func wide(_ features: [FeatureUse]) -> [Advice] {
    var advice: [Advice] = []
    for feature in features {
      guard let window = feature.windowMilliseconds, let hop = feature.hopMilliseconds else { continue }
      if let ttl = feature.ttlMilliseconds, window > ttl {
        advice.append(
          Advice(
            kind: .wideWindow, subject: "\(feature.view):\(feature.name)",
            reason: "its window of \(hours(window)) h is longer than the view's ttl of \(hours(ttl)) h",
            remedy: "shorten the window to the ttl, or raise the ttl",
            savedShare: (Double(window) - Double(ttl)) / Double(window)))
        continue
      }
      let others = features.filter { $0.view == feature.view && $0.windowMilliseconds != window }
      let tiles = others.map(\.tiles).max() ?? 0
      guard !others.isEmpty, feature.tiles > 4 * tiles else { continue }
      advice.append(
        Advice(
          kind: .wideWindow, subject: "\(feature.view):\(feature.name)",
          reason: "it keeps \(Int(feature.tiles)) tiles of \(hours(hop)) h, and the view's other windows \(Int(tiles)) "
            + "at most",
          remedy: "give it a longer hop, or ask whether a shorter window tells the model as much",
          savedShare: (feature.tiles - tiles) / (feature.tiles + tiles)))
    }
    return advice
  }

  private static func hours(_ milliseconds: Int64) -> String {
    let tenths = (Double(milliseconds) / 360_000).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
  }

  private static func batches(_ curve: BatchCurve) -> [Advice] {
    guard let line = curve.line else { return [] }
    let rows = curve.points.reduce(0) { $0 + $1.rows }
    let batches = curve.points.reduce(0) { $0 + $1.batches }
    let mean = Double(rows) / Double(max(batches, 1))
    guard rows > 0, mean < line.knee / 2 else { return [] }
    let now = line.perBatch / mean + line.perRow
    let then = line.perBatch / line.knee + line.perRow
    return [
      Advice(
        kind: .smallBatches, subject: "batches",
        reason: "batches have \(Int(mean)) rows on average, and an event costs \(Int(now)) ns; from \(Int(line.knee)) "
          + "rows on it is \(Int(then)) ns",
        remedy: "let fewer workers read more partitions each, or commit less often", savedShare: 1 - then / now)
    ]
  }

  private static func idle(_ usage: UsageReport) -> [Advice] {
    // A minute of a process that starts says nothing.
    guard usage.milliseconds > 600_000, usage.idleShare > 0.8, usage.cores >= 1 else { return [] }
    return [
      Advice(
        kind: .idle, subject: usage.process, reason: "\(Int(usage.idleShare * 100)) % of its cores' time is not used",
        remedy: "give it fewer cores, or more of the group's partitions", savedShare: usage.idleShare)
    ]
  }
}
