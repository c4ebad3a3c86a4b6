internal import Core
internal import Drift
internal import Monitoring

/// How well the served model did beside the first one, which was never trained again.
struct LoopFigures: Sendable, Equatable {
  /// Of one part of the replay, or of several.
  struct Quality: Sendable, Equatable {
    var predictionCount: Int
    var labelledCount: Int
    var served: Interval
    var frozen: Interval
    /// Served minus frozen, of the same events.
    var difference: Interval
  }

  var periods: [(period: LoopScenario.Period, quality: Quality?)]
  /// From where on the two are compared.
  var compared: Quality?

  static func == (left: LoopFigures, right: LoopFigures) -> Bool {
    left.compared == right.compared && left.periods.map(\.quality) == right.periods.map(\.quality)
      && left.periods.map(\.period) == right.periods.map(\.period)
  }

  init(periods: [(period: LoopScenario.Period, quality: Quality?)], compared: Quality?) {
    self.periods = periods
    self.compared = compared
  }

  /// - Parameter frozen: what the first model says of each prediction's vector.
  init(_ predictions: LabelledPredictions, frozen: [Double], _ scenario: LoopScenario) {
    periods = scenario.periods.map { ($0, Quality(predictions, frozen, $0.range)) }
    compared = Quality(predictions, frozen, scenario.comparedFrom..<scenario.range.upperBound)
  }
}

extension LoopFigures.Quality {
  /// - Returns: nil while one of the classes has no event.
  init?(_ predictions: LabelledPredictions, _ frozen: [Double], _ range: Range<Int64>) {
    let all = (0..<predictions.count).filter { range.contains(predictions.timesMilliseconds[$0]) }
    let rows = all.filter { !predictions.labels[$0].isNaN }
    let labels = rows.map { predictions.labels[$0] >= 0.5 }
    let (first, second) = (rows.map { predictions.scores[$0] }, rows.map { frozen[$0] })
    guard let difference = AUCDifference(labels: labels, first: first, second: second),
      let served = BinaryScores(Array(zip(first, labels))).areaUnderCurve(),
      let frozen = BinaryScores(Array(zip(second, labels))).areaUnderCurve()
    else { return nil }
    self.init(
      predictionCount: all.count, labelledCount: rows.count, served: served.interval, frozen: frozen.interval,
      difference: difference.interval)
  }
}

/// What a run of the loop came to.
struct LoopResult: Sendable, Equatable {
  /// Something that happened, for the report.
  struct Moment: Sendable, Equatable {
    var timeMilliseconds: Int64
    var text: String
    /// Another version answers from here on.
    var isPromotion = false
  }

  var scenario: LoopScenario
  var seed: UInt64
  var figures: LoopFigures
  var events: Int64
  var predictions: Int
  var driftAlarms: Int
  var retrainings: Int
  var promotions: Int
  var moments: [Moment]
  var milliseconds: Int64
}

extension LoopResult {
  /// One line.
  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("topology", scenario.name.rawValue)
      writer.member("seed", seed)
      writer.member("drift_alarms", driftAlarms)
      writer.member("retrainings", retrainings)
      writer.member("promotions", promotions)
      Self.write(figures.compared, to: &writer)
      writer.member("events", events)
      writer.member("predictions", predictions)
      writer.member("seconds", Double(milliseconds) / 1_000)
      writer.key("months")
      writer.array { writer in
        for (period, quality) in figures.periods {
          writer.object { writer in
            writer.member("period", period.name)
            writer.member("from", RFC3339.text(milliseconds: period.range.lowerBound))
            writer.member("to", RFC3339.text(milliseconds: period.range.upperBound))
            writer.member("predictions", quality?.predictionCount ?? 0)
            writer.member("labelled", quality?.labelledCount ?? 0)
            Self.write(quality, to: &writer)
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ quality: LoopFigures.Quality?, to writer: inout JSONWriter) {
    func member(_ name: String, _ value: Double?) {
      writer.key(name)
      writer.value { $0 += value.map { "\($0)" }.map { Array($0.utf8) } ?? Array("null".utf8) }
    }
    member("auc_frozen", quality?.frozen.value)
    member("auc_retrained", quality?.served.value)
    member("auc_difference", quality?.difference.value)
    member("auc_difference_low", quality?.difference.lower)
    member("auc_difference_high", quality?.difference.upper)
  }

  /// A table, and what stands below it.
  var text: String {
    var table = Table([
      ("period", .left), ("predictions", .right), ("labels", .right), ("auc served", .right), ("auc frozen", .right),
      ("difference", .right), ("", .left),
    ])
    for (period, quality) in figures.periods {
      table.append(
        [period.name]
          + (quality.map { quality in
            [
              Figures.grouped(quality.predictionCount), Figures.grouped(quality.labelledCount),
              Figures.fixed(quality.served.value, 4), Figures.fixed(quality.frozen.value, 4),
              Self.signed(quality.difference.value), Self.range(quality.difference),
            ]
          } ?? ["0", "0", "-", "-", "-", ""]))
    }
    var text = table.text + "\n"
    for moment in moments { text += "\(LoopScenario.day(moment.timeMilliseconds))  \(moment.text)\n" }
    text += "\n\(driftAlarms) drift alarms, \(retrainings) retrainings, \(promotions) promotions"
    guard let compared = figures.compared else { return text + "\n" }
    return text
      + "\nfrom \(LoopScenario.day(scenario.comparedFrom)) on: AUC \(Figures.fixed(compared.served.value, 4)) served, "
      + "\(Figures.fixed(compared.frozen.value, 4)) never trained again, difference "
      + "\(Self.signed(compared.difference.value)) (95 %: \(Self.range(compared.difference)))\n"
  }

  static func signed(_ value: Double) -> String { (value >= 0 ? "+" : "") + Figures.fixed(value, 4) }
  static func range(_ interval: Interval) -> String { "\(signed(interval.lower)) to \(signed(interval.upper))" }
}
