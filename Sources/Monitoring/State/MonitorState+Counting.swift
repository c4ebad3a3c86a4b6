internal import Core
internal import Drift

// Into windows.
extension MonitorState {
  mutating func countJoined(_ partition: inout Partition) {
    // Taken out while it is counted: what is left of it is not copied.
    var waiting = PredictionRows(partition: partition.waiting.partition)
    swap(&waiting, &partition.waiting)
    let ready = readyCount(waiting, partition)
    count(waiting, 0..<ready, &partition)
    waiting.removeFirst(ready, width: width)
    swap(&waiting, &partition.waiting)
  }

  /// How many rows from the first on have events that were read.
  func readyCount(_ rows: PredictionRows, _ partition: borrowing Partition) -> Int {
    var ready = 0
    while ready < rows.count, partition.join.isRead(rows.eventOffsets[ready]) { ready += 1 }
    return ready
  }

  mutating func count(_ rows: PredictionRows, _ range: Range<Int>, _ partition: inout Partition) {
    var start = range.lowerBound
    while start < range.upperBound {
      let pane = floorDivide(rows.timesMilliseconds[start], definition.paneMilliseconds)
      var end = start
      // Rows of one pane at a time: they mostly come so.
      while end < range.upperBound, floorDivide(rows.timesMilliseconds[end], definition.paneMilliseconds) == pane {
        end += 1
      }
      count(rows, start..<end, pane: pane, &partition)
      start = end
    }
  }

  private mutating func count(_ rows: PredictionRows, _ range: Range<Int>, pane: Int64, _ partition: inout Partition) {
    let window = floorDivide(pane * definition.paneMilliseconds, definition.windowMilliseconds)
    let windowEnd = (window + 1) * definition.windowMilliseconds
    var open = windows.removeValue(forKey: window) ?? OpenWindow()
    var first = range.lowerBound
    for row in range {
      let taken = definition.needsEvents ? partition.join.take(rows.eventOffsets[row]) : SourceJoin.Taken()
      let isLate =
        windowEnd <= partition.watermark.subtractingClamped(definition.latenessMilliseconds) || window <= closedWindow
      partition.watermark = max(partition.watermark, rows.timesMilliseconds[row])
      guard isLate else {
        if definition.readsDeadLetters {
          open.eventCount += partition.refused.note(offset: rows.eventOffsets[row], window: window)
        }
        open.eventCount += taken.readCount
        open.refusedCount += taken.refusedCount
        let corrected =
          partition.corrected.isEmpty ? nil : partition.corrected.removeValue(forKey: rows.eventOffsets[row])
        note(rows, row, window: window, taken.event, corrected: corrected, &open)
        continue
      }
      countRun(rows, first..<row, pane: pane)
      countVersions(rows, first..<row, &open)
      first = row + 1
      lateCount += 1
    }
    countRun(rows, first..<range.upperBound, pane: pane)
    countVersions(rows, first..<range.upperBound, &open)
    if open.rowCount > 0 || open.eventCount > 0 { windows[window] = open }
  }

  private mutating func countRun(_ rows: PredictionRows, _ range: Range<Int>, pane: Int64) {
    guard !range.isEmpty else { return }
    countedRows += range.count
    var counter = panes.removeValue(forKey: pane) ?? RowCounter(width: width, grids: grids)
    counter.add(rows.values.span.extracting(range.lowerBound * width..<range.upperBound * width))
    panes[pane] = counter
  }

  /// Rows of one version mostly come together.
  private func countVersions(_ rows: PredictionRows, _ range: Range<Int>, _ open: inout OpenWindow) {
    var first = range.lowerBound
    while first < range.upperBound {
      let version = rows.versions[first]
      var end = first + 1
      while end < range.upperBound, rows.versions[end] == version { end += 1 }
      if version > 0 { open.versions[version, default: 0] += end - first }
      first = end
    }
  }

  /// What is counted of a row beside its values.
  private mutating func note(
    _ rows: PredictionRows, _ row: Int, window: Int64, _ event: EventRow?, corrected: Double?,
    _ open: inout OpenWindow
  ) {
    let offset = rows.offsets[row]
    open.rowCount += 1
    open.newestMilliseconds = max(open.newestMilliseconds, rows.timesMilliseconds[row])
    if let known = open.offsets[rows.partition] {
      open.offsets[rows.partition] = min(known.lowerBound, offset)...max(known.upperBound, offset)
    } else {
      open.offsets[rows.partition] = offset...offset
    }
    if let label = definition.label {
      if label.isBinary { open.scores.add(rows.scores[row]) }
      if let event {
        labels.add(
          .init(
            key: event.key, timeMilliseconds: rows.timesMilliseconds[row],
            score: corrected ?? rows.scores[row], segments: event.segments, partition: rows.partition,
            eventOffset: rows.eventOffsets[row]), window: window)
      }
    }
    for segment in event?.segments ?? [] {
      open.segmentRows[segment, default: 0] += 1
      guard names.hash(segment) < open.segmentHashLimit else { continue }
      let values = rows.values.span.extracting(row * width..<(row + 1) * width)
      if open.segments[segment]?.add(values) == nil {
        var counter = RowCounter(width: width, grids: grids)
        counter.add(values)
        open.segments[segment] = counter
        limitSegments(&open)
      }
    }
  }

  /// The least hashes stay: which ones these are does not depend on who came first.
  private func limitSegments(_ open: inout OpenWindow) {
    guard open.segments.count > Self.segmentsMaximum else { return }
    guard let last = open.segments.keys.max(by: { names.hash($0) < names.hash($1) }) else { return }
    open.segments[last] = nil
    open.segmentHashLimit = names.hash(last)
  }
}
