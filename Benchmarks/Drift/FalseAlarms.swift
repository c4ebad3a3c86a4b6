internal import Core
internal import Drift
internal import Monitoring

/// How often monitors are wrong: `headrace-drift-benchmarks false-alarms [RUNS]`.
///
/// 200 features of one shape and of all shapes in turn. Without drift: windows with any alarm at all, by the policy as
/// it is by default, and by sample sizes alone, as if every effect mattered. With it: windows in which the one feature
/// whose mean is 30 % higher is an alarm, among 200 that are as they were. Then whole monitors, window after window,
/// each with its own trailing reference.
struct FalseAlarms {
  private static let width = 200
  private static let referenceRows = 3_500
  private static let windowRows = 500
  /// Wherever a shift begins, a window of so many rows that lies behind it is over within 5,000 events.
  private static let shiftedRows = 2_500
  private static let promised = (falseShare: 0.05, foundShare: 0.95)

  let runs: Int
  private var isBroken = false

  init(runs: Int) { self.runs = runs }

  /// - Returns: whether what is promised holds.
  mutating func run() -> Bool {
    print("marginal      runs  any alarm   by sample size alone   +30 % found")
    for marginal in Marginal.allCases {
      judge(marginal.rawValue, (0..<Self.width).map { _ in marginal })
    }
    let all = Marginal.allCases
    judge("all", (0..<Self.width).map { all[$0 % all.count] })
    monitors()
    return !isBroken
  }

  private mutating func judge(_ name: String, _ marginals: [Marginal]) {
    var random = SplitMix64(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }))
    var model = DrawnModel(marginals, referenceRows: Self.referenceRows, &random)
    let policy = AlarmPolicy()
    var (alarmed, uncertain, found) = (0, 0, 0)
    for _ in 0..<runs {
      let findings = model.findings(policy, rowCount: Self.windowRows, &random)
      if findings.contains(where: \.isAlarm) { alarmed += 1 }
      if findings.contains(where: { $0.adjustedPValue <= policy.falseDiscoveryRate }) { uncertain += 1 }
    }
    // Nine zeros in ten drown it: 30 % more of the rest is 0.07 standard deviations, which no sample of this size
    // shows.
    let shown = marginals.indices.filter { marginals[$0] != .ties }
    let shiftedRuns = shown.isEmpty ? 0 : max(runs / 5, 1)
    for run in 0..<shiftedRuns {
      let shifted = shown[run % shown.count]
      let findings = model.findings(policy, rowCount: Self.shiftedRows, shifted: shifted, &random)
      if findings.contains(where: { $0.feature == "f\(shifted)" && $0.isAlarm }) { found += 1 }
    }
    note(Double(alarmed) / Double(runs) <= Self.promised.falseShare)
    note(Double(uncertain) / Double(runs) <= Self.promised.falseShare)
    note(Double(found) >= Self.promised.foundShare * Double(shiftedRuns))
    print(
      "\(Self.padded(name, 12)) \(Self.left(runs, 5)) \(Self.share(alarmed, runs)) \(Self.share(uncertain, runs))"
        + (shiftedRuns == 0 ? "" : "              \(Self.share(found, shiftedRuns)) of \(shiftedRuns)"))
  }

  /// The first windows are one another's measure, and are left out.
  private mutating func monitors() {
    let windows = 30
    let first = 4
    var random = SplitMix64(seed: 91)
    var (judged, alarmed, opened) = (0, 0, 0)
    let monitors = max(runs / windows, 1)
    for _ in 0..<monitors {
      let numbers = Marginal.allCases.filter { $0 != .categorical }
      let marginals = (0..<Self.width).map { numbers[$0 % numbers.count] }
      var definition = MonitorDefinition(
        name: "watch", model: "m", columns: marginals.indices.map { "f\($0)" }, windowMilliseconds: 3_600_000,
        tests: [(.psi, 0.1), (.kolmogorovSmirnov, 0.08)])
      definition.minimumRowCount = 200
      var state = MonitorState(definition)
      for window in 0...windows {
        var rows = PredictionRows(partition: 0)
        for row in 0..<Self.windowRows {
          for marginal in marginals { rows.values.append(marginal.draw(&random)) }
          rows.timesMilliseconds.append(Int64(window) * 3_600_000 + Int64(row))
          rows.offsets.append(Int64(window * Self.windowRows + row))
          rows.eventOffsets.append(0)
          rows.scores.append(0)
          rows.versions.append(0)
        }
        state.add(rows)
        for result in state.advance() {
          if result.kind == "window", window > first {
            judged += 1
            if result.features.contains(where: \.isAlarm) { alarmed += 1 }
          }
          if result.kind == "alarm", window > first { opened += 1 }
        }
      }
    }
    note(Double(alarmed) / Double(max(judged, 1)) <= Self.promised.falseShare)
    print(
      "\(monitors) monitors of \(Self.width) features, trailing 7 windows of \(Self.windowRows) rows: "
        + "\(alarmed) of \(judged) windows with any alarm (\(Self.share(alarmed, judged))), \(opened) alarms told")
  }

  private mutating func note(_ holds: Bool) { if !holds { isBroken = true } }

  private static func share(_ part: Int, _ whole: Int) -> String {
    let thousandths = whole == 0 ? 0 : (Double(part) / Double(whole) * 1_000).rounded() / 10
    return left("\(thousandths) %", 10)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  private static func left(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let text = "\(value)"
    return String(repeating: " ", count: max(width - text.count, 0)) + text
  }
}
