internal import Core
internal import Drift

/// Labels window by window: whether the truth itself moves, which no better model helps against.
struct LabelTrack: Sendable {
  struct Window: Sendable {
    /// Its start, in windows since 1970.
    var index: Int64
    var profile: FeatureProfile
  }

  private(set) var history: [Window] = []
  /// Of labels that are numbers, once there were enough.
  private var grid: BinGrid?

  init() {}

  /// - Returns: nil while there are too few labels to say how they are spread.
  mutating func profile(
    _ labels: [Double], _ label: MonitorDefinition.Label, minimumRowCount: Int
  ) -> FeatureProfile? {
    guard !label.isBinary else {
      var profile = CategoryProfile()
      let yes = labels.count { $0 >= 0.5 }
      if yes > 0 { profile.add("true", count: yes) }
      if yes < labels.count { profile.add("false", count: labels.count - yes) }
      return .categorical(profile)
    }
    let sample = NumericSample(labels)
    if grid == nil, labels.count >= minimumRowCount {
      grid = BinGrid(quantilesOf: sample, finePerCoarse: MonitorState.finePerCoarse)
    }
    return grid.map { .numeric(NumericProfile(sample, on: $0)) }
  }

  /// What a window's labels are compared with; nil when there is nothing yet.
  func reference(of window: Int64, _ definition: MonitorDefinition) -> FeatureProfile? {
    switch definition.reference {
    case .given: return history.first?.profile
    case .earlier(let milliseconds):
      let index = window - floorDivide(milliseconds, definition.windowMilliseconds)
      return history.first { $0.index == index }?.profile
    case .trailing:
      guard var all = history.first?.profile else { return nil }
      for other in history.dropFirst() { all.merge(other.profile) }
      return all
    }
  }

  mutating func remember(_ window: Window, _ definition: MonitorDefinition, isAlarmed: Bool) {
    switch definition.reference {
    case .given: if history.isEmpty { history = [window] }
    case .earlier(let milliseconds):
      history.append(window)
      let oldest = window.index - floorDivide(milliseconds, definition.windowMilliseconds)
      history.removeAll { $0.index < oldest }
    case .trailing(let count):
      guard !isAlarmed else { return }
      history.append(window)
      if history.count > max(count, 1) { history.removeFirst(history.count - max(count, 1)) }
    }
  }

  mutating func forget(before window: Int64) { history.removeAll { $0.index < window } }

  func write(to writer: inout ByteWriter) {
    writer.number(grid == nil ? 0 as UInt8 : 1)
    if let grid { unsafe writer.block(NumericProfile(grid).encoded.span.bytes) }
    writer.number(UInt32(clamping: history.count))
    for window in history {
      writer.number(window.index)
      switch window.profile {
      case .numeric(let profile): unsafe writer.block(profile.encoded.span.bytes)
      case .categorical(let profile): unsafe writer.block(profile.encoded.span.bytes)
      }
    }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    if try reader.flag() { grid = try NumericProfile(decoding: try reader.block()).grid }
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let index: Int64 = try reader.number()
      let bytes = try reader.block()
      if let grid {
        let profile = try NumericProfile(decoding: bytes)
        guard profile.grid == grid else { throw reader.broken("labels on another grid") }
        history.append(Window(index: index, profile: .numeric(profile)))
      } else {
        history.append(Window(index: index, profile: .categorical(try CategoryProfile(decoding: bytes))))
      }
    }
  }
}

extension MonitorState {
  /// The labels of a window beside the reference's: the figures of the tests, and an alarm when they drift.
  mutating func judgeLabels(_ window: Int64, _ labels: [Double], _ label: MonitorDefinition.Label) -> [MonitorResult] {
    guard !definition.tests.isEmpty, !labels.isEmpty,
      let current = labelTrack.profile(labels, label, minimumRowCount: definition.minimumRowCount)
    else { return [] }
    let reference = labelTrack.reference(of: window, definition)
    let own = LabelTrack.Window(index: window, profile: current)
    guard let reference else {
      if labels.count >= definition.minimumRowCount { labelTrack.remember(own, definition, isAlarmed: false) }
      return []
    }
    let comparison = DriftComparison(
      tests: definition.tests.map(\.test),
      limits: Dictionary(definition.tests.map { ($0.test, $0.limit) }) { first, _ in first })
    let finding = definition.policy.judge([(Self.labelFeature, reference, current)]).first
    let isAlarm = finding?.isAlarm ?? false
    let place = self.window(window, rowCount: labels.count)
    var figures = FeatureResult(
      feature: Self.labelFeature, tests: comparison.compare(Self.labelFeature, reference, current).results,
      pValue: finding?.pValue ?? .nan, adjustedPValue: finding?.adjustedPValue ?? .nan)
    labelTrack.remember(own, definition, isAlarmed: isAlarm)
    var outside: [AlarmResult] = []
    let before = WindowReference(
      startMilliseconds: max(labelTrack.history.first?.index ?? 0, 0).multipliedClamped(definition.windowMilliseconds),
      endMilliseconds: place.startMilliseconds, rowCount: reference.rowCount)
    let cause = DriftCause.decide(CauseSigns(reference: reference, current: current))
    if let finding,
      let drift = DriftAlarm(
        model: definition.model, finding, cause: cause, reference: before, current: place)
    {
      outside.append(AlarmResult(drift: drift, mutedBy: muted(Self.labelFeature, place), isOfLabels: true))
    }
    let isInside = finding != nil && outside.isEmpty
    let turn = labelAlarms.take(outside, inside: isInside ? [Self.labelFeature] : [], place, definition)
    figures.alarm = turn.outside.first
    let resolved = turn.resolved.map { ResolvedAlarm(life: $0.life, reason: $0.reason, isOfLabels: true) }
    return [result(place, .labels(figures))] + turn.told.map { result(place, .alarm($0)) }
      + resolved.map { result(place, .resolved($0)) }
  }

  /// What the truth is called beside the features.
  static let labelFeature = "label"
}
