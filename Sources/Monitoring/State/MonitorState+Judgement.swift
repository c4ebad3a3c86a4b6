internal import Core
internal import Drift

// A window that is over, beside its reference.
extension MonitorState {
  mutating func close(window: Int64) -> [MonitorResult] {
    closedWindow = window
    guard var open = windows.removeValue(forKey: window) else { return [] }
    if definition.label != nil, !open.versions.isEmpty { labelledVersions[window] = open.versions }
    takeRefusals(window, &open)
    let rows = takePanes(window)
    var closed = ClosedWindow(
      index: window, rowCount: rows.rowCount, segmentRows: open.segmentRows, refusedShare: open.refusedShare)
    closed.versions = open.versions
    let end = (window + 1).multipliedClamped(definition.windowMilliseconds)
    if open.newestMilliseconds > .min { closed.ageMilliseconds = max(end - open.newestMilliseconds, 0) }
    if grids == nil {
      guard let first = begin(with: rows) else { return estimates(open, window) }
      closed.rowCount = first.rowCount
      closed.profiles = first.profiles
      guard let given else {
        remember(closed, [])
        return estimates(open, window)
      }
      var base = closed
      for (column, profile) in given.enumerated() {
        if let profile { base.profiles[column] = profile }
      }
      base.rowCount = given.compactMap { $0?.rowCount }.first ?? closed.rowCount
      history = [base]
      // The window's own segments were counted before there were grids.
      if let grids { for segment in open.segments.keys { open.segments[segment]?.adopt(grids) } }
    } else {
      closed.profiles = rows.profiles
      fillIn(closed)
    }
    var results = digest(upTo: window.multipliedClamped(definition.windowMilliseconds))
    var outside: [AlarmResult] = []
    // A monitor of quality alone has nothing to say of features.
    if !definition.tests.isEmpty, let reference = reference(of: window) {
      let turn = judge(open, closed, reference, &results)
      outside = turn.outside
    }
    remember(closed, outside)
    return results + digest(upTo: end) + estimates(open, window)
  }

  /// Events of a window that never became one, of which the dead-letter topic knows.
  private mutating func takeRefusals(_ window: Int64, _ open: inout OpenWindow) {
    guard definition.readsDeadLetters else { return }
    for number in partitions.keys {
      for (producer, count) in partitions[number]?.refused.take(window: window) ?? [:] {
        open.refusedBy[producer, default: 0] += count
        open.refusedCount += count
      }
    }
  }

  /// The digest of a day that is over.
  mutating func digest(upTo time: Int64, isOfLabels: Bool = false) -> [MonitorResult] {
    let ended = isOfLabels ? labelAlarms.endDay(upTo: time, definition) : alarms.endDay(upTo: time, definition)
    guard let (place, found) = ended else { return [] }
    var digest = found
    digest.isOfLabels = isOfLabels
    return [result(place, .digest(digest))]
  }

  /// What a window is compared with; nil when there is nothing yet.
  private func reference(of window: Int64) -> ClosedWindow? {
    switch definition.reference {
    case .given: return history.first
    case .earlier(let milliseconds):
      let index = window - floorDivide(milliseconds, definition.windowMilliseconds)
      return history.first { $0.index == index }
    case .trailing:
      guard var all = history.first else { return nil }
      for other in history.dropFirst() { all.merge(other) }
      return all
    }
  }

  private mutating func remember(_ closed: ClosedWindow, _ alarms: [AlarmResult]) {
    switch definition.reference {
    case .given: return
    case .earlier(let milliseconds):
      history.append(closed)
      let oldest = closed.index - floorDivide(milliseconds, definition.windowMilliseconds)
      history.removeAll { $0.index < oldest }
    case .trailing(let count):
      guard closed.rowCount >= min(definition.minimumRowCount, 30) else { return }
      var kept = closed
      // The first ones are taken as they come: one window alone would be the measure of all others for ever.
      if history.count >= min(count, Self.firstWindows) {
        guard !alarms.contains(where: \.drift.cause.isDataBug) else { return }
        // What drifts is no measure for the windows behind it, until somebody acknowledges it; the rest is.
        for alarm in alarms { forget(alarm.drift.feature, of: &kept) }
      }
      history.append(kept)
      while history.count > max(count, 1) { keepLast(of: history.removeFirst()) }
    }
  }

  private func forget(_ feature: String, of window: inout ClosedWindow) {
    if let column = definition.columns.firstIndex(of: feature) {
      window.profiles[column] = NumericProfile(window.profiles[column].grid)
      if column == definition.columns.indices.last { window.versions = [:] }
    } else {
      window.segmentRows = window.segmentRows.filter { !isOf(feature, $0.key) }
    }
  }

  /// Of a window that leaves the reference what no other one has stays: what has drifted for long is still measured.
  private mutating func keepLast(of oldest: ClosedWindow) {
    guard !history.isEmpty else { return }
    for column in oldest.profiles.indices where !history.contains(where: { $0.profiles[column].rowCount > 0 }) {
      history[0].profiles[column] = oldest.profiles[column]
      if column == oldest.profiles.indices.last { history[0].versions = oldest.versions }
    }
    for segment in definition.segments
    where !history.contains(where: { $0.segmentRows.keys.contains { isOf(segment, $0) } }) {
      let own = oldest.segmentRows.filter { isOf(segment, $0.key) }
      history[0].segmentRows.merge(own, uniquingKeysWith: +)
    }
  }

  /// Of a reference that is given: what the first window stood in for is awaited anew.
  mutating func forgetFilledIn() {
    guard let given, !history.isEmpty else { return }
    for column in given.indices where given[column] == nil { forget(definition.columns[column], of: &history[0]) }
  }

  /// Takes the columns of a given reference that it does not have from this window.
  private mutating func fillIn(_ closed: ClosedWindow) {
    guard let given, !history.isEmpty else { return }
    for column in given.indices where given[column] == nil && history[0].profiles[column].rowCount == 0 {
      history[0].profiles[column] = closed.profiles[column]
      if column == given.indices.last { history[0].versions = closed.versions }
    }
  }

  private func isOf(_ segment: String, _ number: UInt32) -> Bool { name(number)?.hasPrefix("\(segment)=") ?? false }

  private static let firstWindows = 3

  /// How far windows of a trailing reference lie from all of them together: their mean and three standard deviations.
  ///
  /// A day's rows have much in common, so that days differ by more than rows that are drawn would: what days among
  /// themselves do is no drift.
  private func usualEffects(_ reference: ClosedWindow, _ tests: [DriftTest]) -> [String: [DriftTest: Double]] {
    guard case .trailing = definition.reference, history.count >= Self.firstWindows else { return [:] }
    let comparison = DriftComparison(tests: tests)
    var scores: [String: [DriftTest: [Double]]] = [:]
    for window in history.suffix(Self.usualWindowsMaximum) {
      for (name, before, now) in features(window, reference) where now.rowCount > 0 {
        for result in comparison.compare(name, before, now).results where result.score.score.isFinite {
          scores[name, default: [:]][result.test, default: []].append(result.score.score)
        }
      }
    }
    return scores.mapValues { byTest in
      byTest.mapValues { scores in
        let mean = scores.reduce(0, +) / Double(scores.count)
        let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return mean + 3 * (squares / Double(max(scores.count - 1, 1))).squareRoot()
      }
    }
  }

  private static let usualWindowsMaximum = 32

  private mutating func judge(
    _ open: OpenWindow, _ closed: ClosedWindow, _ reference: ClosedWindow, _ results: inout [MonitorResult]
  ) -> AlarmBook.Turn {
    let features = features(closed, reference)
    let policy = definition.policy
    let findings = policy.judge(
      features, usual: usualEffects(reference, policy.effects.keys.sorted { $0.rawValue < $1.rawValue }))
    let comparison = DriftComparison(
      tests: definition.tests.map(\.test),
      limits: Dictionary(definition.tests.map { ($0.test, $0.limit) }) { first, _ in first })
    let place = window(closed.index, rowCount: closed.rowCount, offsets: open.offsets, versions: open.versions)
    let stale = staleSources(closed, reference)
    var outside: [AlarmResult] = []
    var inside: [String] = []
    var figures: [FeatureResult] = []
    for feature in features {
      let finding = findings.first { $0.feature == feature.name }
      let drift = comparison.compare(feature.name, feature.reference, feature.current)
      figures.append(
        FeatureResult(
          feature: feature.name, tests: drift.results, pValue: finding?.pValue ?? .nan,
          adjustedPValue: finding?.adjustedPValue ?? .nan))
      guard let finding else { continue }
      let cause = finding.isAlarm ? cause(feature, closed, reference, stale: stale) : .realShift
      if let alarm = alarm(finding, feature, cause, open, closed, reference, place) {
        outside.append(alarm)
      } else {
        inside.append(feature.name)
      }
    }
    findConsequences(&outside, place)
    let turn = alarms.take(outside, inside: inside, place, definition)
    for alarm in turn.outside {
      if let index = figures.firstIndex(where: { $0.feature == alarm.drift.feature }) { figures[index].alarm = alarm }
    }
    results.append(result(place, .window(figures)))
    results += turn.told.map { result(place, .alarm($0)) } + turn.resolved.map { result(place, .resolved($0)) }
    return turn
  }

  private func alarm(
    _ finding: AlarmPolicy.Finding, _ feature: (name: String, reference: FeatureProfile, current: FeatureProfile),
    _ cause: DriftCause, _ open: OpenWindow, _ closed: ClosedWindow, _ reference: ClosedWindow,
    _ place: WindowReference
  ) -> AlarmResult? {
    let before = WindowReference(
      startMilliseconds: max(reference.index, 0) * definition.windowMilliseconds,
      endMilliseconds: closed.index * definition.windowMilliseconds, rowCount: feature.reference.rowCount,
      versions: reference.versions)
    let drift = DriftAlarm(
      model: definition.model, finding, cause: cause, reference: before, current: place,
      contributors: contributors(finding, feature, open) + refusals(cause, open))
    guard let drift else { return nil }
    var alarm = AlarmResult(drift: drift, mutedBy: muted(feature.name, place))
    if case .given(let name) = definition.reference { alarm.dataset = name }
    return alarm
  }

  /// The numbers of the vector and the score, then the segments as categories.
  private func features(
    _ closed: ClosedWindow, _ reference: ClosedWindow
  ) -> [(name: String, reference: FeatureProfile, current: FeatureProfile)] {
    var features: [(name: String, reference: FeatureProfile, current: FeatureProfile)] = []
    for (column, name) in definition.columns.enumerated() {
      features.append((name, .numeric(reference.profiles[column]), .numeric(closed.profiles[column])))
    }
    guard !reference.segmentRows.isEmpty else { return features }
    for segment in definition.segments {
      let (before, now) = (categories(segment, reference), categories(segment, closed))
      if before.rowCount > 0 || now.rowCount > 0 {
        features.append((segment, .categorical(before), .categorical(now)))
      }
    }
    return features
  }

  private func categories(_ segment: String, _ window: ClosedWindow) -> CategoryProfile {
    var profile = CategoryProfile()
    for (number, rows) in window.segmentRows.sorted(by: { $0.key < $1.key }) {
      guard let name = name(number), name.hasPrefix("\(segment)=") else { continue }
      profile.add(String(name.dropFirst(segment.count + 1)), count: rows)
    }
    return profile
  }

  private func name(_ segment: UInt32) -> String? {
    names.names.indices.contains(Int(segment)) ? names.names[Int(segment)] : nil
  }

  /// Which rows it comes from: the same test of each segment's rows alone.
  private func contributors(
    _ finding: AlarmPolicy.Finding, _ feature: (name: String, reference: FeatureProfile, current: FeatureProfile),
    _ open: OpenWindow
  ) -> [Contributor] {
    guard let test = finding.test, let column = definition.columns.firstIndex(of: feature.name) else { return [] }
    let comparison = DriftComparison(tests: [test])
    var parts: [(kind: Contributor.Kind, name: String, rowCount: Int, score: Double)] = []
    for (segment, rows) in open.segments.sorted(by: { $0.key < $1.key }) {
      guard rows.rowCount >= Self.contributorRowsMinimum, let name = name(segment) else { continue }
      let profile = FeatureProfile.numeric(rows.profiles[column])
      guard let score = comparison.compare(feature.name, feature.reference, profile)[test]?.score.score else {
        continue
      }
      let isProducer = name.hasPrefix("\(SegmentNames.producer)=")
      parts.append((isProducer ? .producer : .segment, name, rows.rowCount, score))
    }
    return Contributor.top(Self.contributorsOfAKind, of: parts.filter { $0.kind == .segment })
      + Contributor.top(Self.contributorsOfAKind, of: parts.filter { $0.kind == .producer })
  }

  /// Who sent what broke its contract, when that is the cause.
  private func refusals(_ cause: DriftCause, _ open: OpenWindow) -> [Contributor] {
    guard case .contract(let share) = cause else { return [] }
    let parts = open.refusedBy.compactMap { producer, count in
      name(producer).flatMap { producer == SegmentNames.other ? nil : (Contributor.Kind.producer, $0, count, share) }
    }
    return Contributor.top(Self.contributorsOfAKind, of: parts)
  }

  private static let contributorRowsMinimum = 20
  private static let contributorsOfAKind = 5

  func muted(_ feature: String, _ place: WindowReference) -> String? {
    let span = place.startMilliseconds..<place.endMilliseconds
    for silence in silences where silence.feature == nil || silence.feature == feature {
      if silence.startMilliseconds < span.upperBound, silence.endMilliseconds > span.lowerBound {
        return "silenced: \(silence.reason)"
      }
    }
    for change in knownChanges
    where change.startMilliseconds < span.upperBound && change.endMilliseconds > span.lowerBound {
      return "known change: \(change.about)"
    }
    return nil
  }

  func window(
    _ index: Int64, rowCount: Int, offsets: [Int32: ClosedRange<Int64>] = [:], versions: [Int32: Int] = [:]
  ) -> WindowReference {
    let start = index.multipliedClamped(definition.windowMilliseconds)
    return WindowReference(
      startMilliseconds: start, endMilliseconds: start + definition.windowMilliseconds, rowCount: rowCount,
      offsets: offsets.sorted { $0.key < $1.key }.map {
        PartitionOffsets(
          topic: definition.topic, partition: $0.key, first: $0.value.lowerBound, last: $0.value.upperBound)
      }, versions: versions)
  }

  func result(_ place: WindowReference, _ content: MonitorResult.Content) -> MonitorResult {
    MonitorResult(monitor: definition.name, model: definition.model, window: place, content: content)
  }
}
