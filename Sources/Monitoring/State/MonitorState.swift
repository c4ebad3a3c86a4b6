internal import Core
package import Drift

/// A monitor as a value: predictions, events and labels go in, results come out.
///
/// What a window holds is a function of each partition's own records in their order: a prediction is too late for a
/// window when its own partition has gone past it, whatever the others do, and everything that is counted is free of
/// order. A window closes when every partition that is not idle has gone past it.
package struct MonitorState: Sendable {
  struct Partition: Sendable {
    var watermark = Int64.min
    var join = SourceJoin()
    /// Predictions whose events have not been read.
    var waiting: PredictionRows
    /// Events of dead letters, where the events themselves are not read.
    var refused = RefusedEvents()
    /// What has been said anew of those that wait, by the event's offset.
    var corrected: [Int64: Double] = [:]
  }

  package let definition: MonitorDefinition
  /// Segments of a window that are told apart; of more segments those whose names have the least hashes.
  static let segmentsMaximum = 64
  static let finePerCoarse = 4

  package var names = SegmentNames()
  var partitions: [Int32: Partition] = [:]
  var labelWatermarks: [Int32: Int64] = [:]
  /// Read to their ends, for a while: they hold up nothing.
  var idle: Set<Int32> = []
  var idleLabels: Set<Int32> = []
  var grids: [BinGrid]?
  /// Rows until there are enough for a reference.
  var beginning: RowCounter?
  /// Windows that it has waited for columns without any value: those of long windows fill later.
  var beginningWindows = 0
  /// By their start, in panes since 1970.
  var panes: [Int64: RowCounter] = [:]
  /// By their start, in windows since 1970.
  var windows: [Int64: OpenWindow] = [:]
  var history: [ClosedWindow] = []
  var labels = LabelJoin()
  /// Which versions scored the rows of a window whose labels are awaited.
  var labelledVersions: [Int64: [Int32: Int]] = [:]
  var calibration: BinaryAccumulator?
  var labelTrack = LabelTrack()
  var detectors: [Int: DetectorTrack] = [:]
  /// The last window, pane and labelled window that are over.
  var closedWindow = Int64.min
  var closedPane = Int64.min
  var closedLabels = Int64.min
  /// Of the features, and of the labels, whose windows are over later.
  var alarms = AlarmBook()
  var labelAlarms = AlarmBook()
  /// Defects of the data that features made from the same fields still hold.
  var defects: [DataDefect] = []
  var silences: [Silence] = []
  var knownChanges: [KnownChange]
  package internal(set) var lateCount = 0
  package internal(set) var countedRows = 0

  /// Profiles of a training set by column; the first window stands in for the columns that it does not have.
  let given: [NumericProfile?]?

  /// - Parameter reference: for a definition whose reference is given: nil for columns that nothing is known of.
  package init(_ definition: MonitorDefinition, reference: [NumericProfile?]? = nil) {
    self.definition = definition
    knownChanges = definition.knownChanges
    guard let reference, reference.count == definition.columns.count, definition.reference.isGiven else {
      given = nil
      return
    }
    given = reference
    let known = reference.compactMap(\.self)
    guard known.count == reference.count else { return }
    grids = known.map(\.grid)
    history = [ClosedWindow(index: .min, rowCount: known.first?.rowCount ?? 0, profiles: known)]
  }

  var width: Int { definition.columns.count }

  /// The alarms that are open, those of the labels behind those of the features, by feature.
  package var openAlarms: [AlarmLife] {
    [alarms, labelAlarms].flatMap { book in book.open.sorted { $0.key < $1.key }.map(\.value) }
  }
}

// What comes in.
extension MonitorState {
  /// Names the partitions that there are: one that has given nothing yet holds up what needs all of them.
  package mutating func expect(partitions numbers: [Int32], labelPartitions: [Int32]) {
    for number in numbers where partitions[number] == nil {
      partitions[number] = Partition(waiting: .init(partition: number))
    }
    for number in labelPartitions where labelWatermarks[number] == nil { labelWatermarks[number] = .min }
  }

  /// Takes predictions of one partition; each goes to its window once its event is known.
  package mutating func add(_ rows: PredictionRows) {
    idle.remove(rows.partition)
    var partition =
      partitions.removeValue(forKey: rows.partition) ?? Partition(waiting: .init(partition: rows.partition))
    defer { partitions[rows.partition] = partition }
    guard definition.needsEvents else { return count(rows, 0..<rows.count, &partition) }
    var first = 0
    if partition.waiting.count == 0 {
      first = readyCount(rows, partition)
      count(rows, 0..<first, &partition)
    }
    partition.waiting.append(rows, first..<rows.count, width: width)
    if first == 0 { countJoined(&partition) }
  }

  /// Takes later revisions of predictions of one partition: quality is that of the newest one, as long as the window's
  /// labels are not all there. What drifts is what was said at the time.
  package mutating func correct(_ corrections: [ScoreCorrection], partition number: Int32) {
    guard !corrections.isEmpty, definition.label != nil else { return }
    let waiting = Set(partitions[number]?.waiting.eventOffsets ?? [])
    var windows: [Int64: [Int64: Double]] = [:]
    for correction in corrections {
      if waiting.contains(correction.eventOffset) {
        partitions[number]?.corrected[correction.eventOffset] = correction.score
      } else {
        let window = floorDivide(correction.timeMilliseconds, definition.windowMilliseconds)
        windows[window, default: [:]][correction.eventOffset] = correction.score
      }
    }
    for (window, scores) in windows { labels.correct(scores, partition: number, window: window) }
  }

  /// Takes events of a partition of the model's source.
  ///
  /// - Parameter position: the offset behind the last record that was read, whatever became of it.
  package mutating func add(_ events: [EventRow], partition number: Int32, upTo position: Int64) {
    var partition = partitions.removeValue(forKey: number) ?? Partition(waiting: .init(partition: number))
    defer { partitions[number] = partition }
    partition.join.add(events, upTo: position)
    countJoined(&partition)
  }

  /// Takes a dead letter.
  ///
  /// - Parameters:
  ///   - offset: of the event that broke its contract, in this partition of the model's source.
  ///   - producer: who sent it; nil: nobody says so.
  package mutating func addRefused(offset: Int64, producer: String?, partition number: Int32) {
    let name = producer.map { names.number("\(SegmentNames.producer)=\($0)") } ?? SegmentNames.other
    partitions[number, default: Partition(waiting: .init(partition: number))].refused.add(
      offset: offset, producer: name)
  }

  package mutating func add(_ rows: [LabelRow], partition: Int32) {
    idleLabels.remove(partition)
    for row in rows {
      labels.add(.init(timeMilliseconds: row.timeMilliseconds, value: row.value), key: row.key)
      labelWatermarks[partition] = max(labelWatermarks[partition] ?? .min, row.timeMilliseconds)
    }
  }

  /// A partition has nothing more for now.
  package mutating func noteIdle(partition: Int32, isLabel: Bool) {
    if isLabel { idleLabels.insert(partition) } else { idle.insert(partition) }
  }

  /// How many events wait for their predictions in a partition.
  package func waitingEvents(partition: Int32) -> Int { partitions[partition]?.join.count ?? 0 }

  package mutating func apply(_ command: MonitorCommand) {
    switch command {
    case .silence(let silence): silences.append(silence)
    case .expect(let change): knownChanges.append(change)
    case .acknowledge(let time, let reason):
      let index = floorDivide(time, definition.windowMilliseconds)
      if definition.reference.isGiven {
        forgetFilledIn()
      } else {
        history.removeAll { $0.index < index }
      }
      labelTrack.forget(before: index)
      alarms.acknowledge(reason)
      labelAlarms.acknowledge(reason)
      defects = []
      detectors = [:]
    }
  }
}

// What is over.
extension MonitorState {
  /// The time that all partitions have reached; the least of nothing is nothing.
  var watermark: Int64 { Self.least(partitions.mapValues(\.watermark), idle) }
  var labelWatermark: Int64 { Self.least(labelWatermarks, idleLabels) }

  /// Where everything is idle the newest event counts: nothing older is on its way.
  private static func least(_ watermarks: [Int32: Int64], _ idle: Set<Int32>) -> Int64 {
    let busy = watermarks.filter { !idle.contains($0.key) }.map(\.value)
    return busy.min() ?? watermarks.values.max() ?? .min
  }

  /// Closes what every partition has gone past.
  ///
  /// - Returns: the results, in the order of time.
  package mutating func advance() -> [MonitorResult] {
    var results: [MonitorResult] = []
    let reached = watermark.subtractingClamped(definition.latenessMilliseconds)
    for pane in panes.keys.sorted() where pane > closedPane {
      guard (pane + 1).multipliedClamped(definition.paneMilliseconds) <= reached else { break }
      closeWindows(before: pane * definition.paneMilliseconds, &results)
      results += closePane(pane)
    }
    closeWindows(before: reached, &results)
    results += digest(upTo: lastWindowEnd(upTo: reached))
    closeLabels(reached, &results)
    return results
  }

  /// Whether a window is to be closed now: until then all of its dead letters have to be here.
  package var hasWindowDue: Bool {
    let end = lastWindowEnd(upTo: watermark.subtractingClamped(definition.latenessMilliseconds))
    return windows.keys.contains {
      $0 > closedWindow && ($0 + 1).multipliedClamped(definition.windowMilliseconds) <= end
    }
  }

  /// The newest end of a window that is not behind a time: all windows up to it are over.
  func lastWindowEnd(upTo time: Int64) -> Int64 {
    floorDivide(time, definition.windowMilliseconds).multipliedClamped(definition.windowMilliseconds)
  }

  private mutating func closeWindows(before time: Int64, _ results: inout [MonitorResult]) {
    for window in windows.keys.sorted() where window > closedWindow {
      guard (window + 1).multipliedClamped(definition.windowMilliseconds) <= time else { return }
      results += close(window: window)
    }
  }

  private mutating func closePane(_ pane: Int64) -> [MonitorResult] {
    closedPane = pane
    guard let rows = panes[pane], rows.rowCount >= Self.paneRowsMinimum, !history.isEmpty else { return [] }
    let start = pane * definition.paneMilliseconds
    var results: [MonitorResult] = []
    for (column, profile) in rows.profiles.enumerated() {
      guard let before = history.last(where: { $0.profiles[column].count > 0 })?.profiles[column],
        let mean = profile.moments.mean, let expected = before.moments.mean,
        let deviation = before.moments.standardDeviation, deviation > 0
      else { continue }
      let distance = (mean - expected) / deviation
      let found = detectors[column, default: DetectorTrack()].add(distance)
      guard !found.isEmpty else { continue }
      let change = ChangeResult(feature: definition.columns[column], detectors: found, deviation: distance)
      results.append(
        MonitorResult(
          monitor: definition.name, model: definition.model,
          window: WindowReference(
            startMilliseconds: start, endMilliseconds: start + definition.paneMilliseconds, rowCount: rows.rowCount),
          content: .change(change)))
    }
    return results
  }

  private static let paneRowsMinimum = 30

  /// The panes of a window in one, and the panes gone.
  mutating func takePanes(_ window: Int64) -> RowCounter {
    var all = RowCounter(width: width, grids: grids)
    let parts = definition.windowMilliseconds / definition.paneMilliseconds
    for pane in window * parts..<(window + 1) * parts {
      if let rows = panes.removeValue(forKey: pane) { all.merge(rows) }
    }
    return all
  }

  private static let beginningWindowsMaximum = 3

  /// Makes the grids once there are rows enough.
  mutating func begin(with rows: RowCounter) -> RowCounter? {
    var all = beginning ?? RowCounter(width: width, grids: nil)
    all.merge(rows)
    beginningWindows += 1
    let isFilled = all.sketches.allSatisfy { $0.missingCount < all.rowCount }
    guard all.rowCount >= definition.minimumRowCount,
      isFilled || beginningWindows >= Self.beginningWindowsMaximum
    else {
      beginning = all
      return nil
    }
    let made = all.sketches.enumerated().map { column, sketch in
      given?[column]?.grid ?? sketch.quantiles.grid(finePerCoarse: Self.finePerCoarse)?.grid ?? .single
    }
    beginning = nil
    grids = made
    all.adopt(made)
    for pane in panes.keys { panes[pane]?.adopt(made) }
    for window in windows.keys {
      guard var open = windows.removeValue(forKey: window) else { continue }
      for segment in open.segments.keys { open.segments[segment]?.adopt(made) }
      windows[window] = open
    }
    return all
  }
}

extension Int64 {
  func subtractingClamped(_ other: Int64) -> Int64 {
    let (value, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : value
  }

  func addingClamped(_ other: Int64) -> Int64 {
    let (value, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : value
  }

  func multipliedClamped(_ other: Int64) -> Int64 {
    let (value, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) == (other < 0) ? .max : .min) : value
  }
}

/// Towards minus infinity.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}
