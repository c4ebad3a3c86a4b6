internal import Core
internal import Drift

// Into windows.
extension MonitorState {
  mutating func countJoined(_ partition: inout Partition) {
    let waiting = partition.waiting
    var ready = 0
    while ready < waiting.count, partition.join.isRead(waiting.eventOffsets[ready]) { ready += 1 }
    guard ready > 0 else { return }
    count(waiting, 0..<ready, &partition)
    partition.waiting.removeFirst(ready, width: width)
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
    // Rows of each segment, so that each of its counters is taken once for all of them.
    var parts: [UInt32: [Float]] = [:]
    var first = range.lowerBound
    for row in range {
      let taken = definition.needsEvents ? partition.join.take(rows.eventOffsets[row]) : SourceJoin.Taken()
      let isLate =
        windowEnd <= partition.watermark.subtractingClamped(definition.latenessMilliseconds) || window <= closedWindow
      partition.watermark = max(partition.watermark, rows.timesMilliseconds[row])
      guard isLate else {
        open.eventCount += taken.readCount
        open.refusedCount += taken.refusedCount
        let corrected =
          partition.corrected.isEmpty ? nil : partition.corrected.removeValue(forKey: rows.eventOffsets[row])
        note(rows, row, window: window, taken.event, corrected: corrected, &open, &parts)
        continue
      }
      countRun(rows, first..<row, pane: pane)
      countVersions(rows, first..<row, &open)
      first = row + 1
      lateCount += 1
    }
    countRun(rows, first..<range.upperBound, pane: pane)
    countVersions(rows, first..<range.upperBound, &open)
    for (segment, values) in parts.sorted(by: { $0.key < $1.key }) {
      let known = open.segments.removeValue(forKey: segment)
      var counter = known ?? RowCounter(width: width, grids: grids)
      counter.add(values.span)
      open.segments[segment] = counter
      if known == nil { limitSegments(&open) }
    }
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
    _ open: inout OpenWindow, _ parts: inout [UInt32: [Float]]
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
      parts[segment, default: []] += rows.values[row * width..<(row + 1) * width]
    }
  }

  /// The least hashes stay: which ones these are does not depend on who came first.
  private func limitSegments(_ open: inout OpenWindow) {
    guard open.segments.count > Self.segmentsMaximum else { return }
    let last = open.segments.keys.max { hash($0) < hash($1) }
    if let last { open.segments[last] = nil }
  }

  private func hash(_ segment: UInt32) -> UInt64 {
    unsafe Hash64.hash(Array(names.names[min(Int(segment), names.names.count - 1)].utf8).span.bytes)
  }
}
