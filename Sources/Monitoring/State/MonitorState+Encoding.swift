package import Core
package import Drift

// The state as bytes: what a process that was killed goes on from.
extension MonitorState {
  private static let version: UInt8 = 5

  package var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.number(Self.version)
    writer.number(definition.fingerprint)
    names.write(to: &writer)
    writer.number(grids == nil ? 0 as UInt8 : 1)
    for grid in grids ?? [] { unsafe writer.block(NumericProfile(grid).encoded.span.bytes) }
    writeInputs(to: &writer)
    writer.number(beginning == nil ? 0 as UInt8 : 1)
    beginning?.write(to: &writer)
    writer.number(UInt32(clamping: panes.count))
    for (pane, rows) in panes.sorted(by: { $0.key < $1.key }) {
      writer.number(pane)
      rows.write(to: &writer)
    }
    writer.number(UInt32(clamping: windows.count))
    for (window, open) in windows.sorted(by: { $0.key < $1.key }) {
      writer.number(window)
      open.write(to: &writer)
    }
    writer.number(UInt32(clamping: history.count))
    for window in history { window.write(to: &writer) }
    labels.write(to: &writer)
    writer.number(UInt32(clamping: labelledVersions.count))
    for (window, versions) in labelledVersions.sorted(by: { $0.key < $1.key }) {
      writer.number(window)
      versions.write(to: &writer)
    }
    writer.number(calibration == nil ? 0 as UInt8 : 1)
    if let calibration { unsafe writer.block(calibration.encoded.span.bytes) }
    labelTrack.write(to: &writer)
    writer.number(UInt32(clamping: detectors.count))
    for (column, track) in detectors.sorted(by: { $0.key < $1.key }) {
      writer.number(UInt32(clamping: column))
      track.write(to: &writer)
    }
    for mark in [
      closedWindow, closedPane, closedLabels, Int64(lateCount), Int64(countedRows), Int64(beginningWindows),
    ] { writer.number(mark) }
    alarms.write(to: &writer)
    labelAlarms.write(to: &writer)
    writePeople(to: &writer)
    return writer.bytes
  }

  private func writeInputs(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: partitions.count))
    for (number, partition) in partitions.sorted(by: { $0.key < $1.key }) {
      writer.number(number)
      writer.number(partition.watermark)
      partition.join.write(to: &writer)
      partition.waiting.write(to: &writer)
      partition.refused.write(to: &writer)
      writer.number(UInt32(clamping: partition.corrected.count))
      for (offset, score) in partition.corrected.sorted(by: { $0.key < $1.key }) {
        writer.number(offset)
        writer.number(score.bitPattern)
      }
    }
    writer.number(UInt32(clamping: labelWatermarks.count))
    for (number, watermark) in labelWatermarks.sorted(by: { $0.key < $1.key }) {
      writer.number(number)
      writer.number(watermark)
    }
  }

  private func writePeople(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: silences.count))
    for silence in silences {
      writer.number(silence.feature == nil ? 0 as UInt8 : 1)
      writer.text(silence.feature ?? "")
      writer.number(silence.startMilliseconds)
      writer.number(silence.endMilliseconds)
      writer.text(silence.reason)
    }
    writer.number(UInt32(clamping: knownChanges.count))
    for change in knownChanges {
      writer.number(change.startMilliseconds)
      writer.number(change.endMilliseconds)
      writer.text(change.about)
    }
    writer.number(UInt32(clamping: defects.count))
    for defect in defects {
      writer.text(defect.feature)
      writer.text(defect.code)
      writer.number(defect.endMilliseconds)
    }
  }

  /// - Returns: nil when the bytes are of another definition: the state is made again from the log.
  /// - Throws: BYTES_BROKEN, SKETCH_DAMAGED.
  package init?(
    _ definition: MonitorDefinition, reference: [NumericProfile?]? = nil, decoding bytes: [UInt8]
  ) throws(HeadraceError) {
    self.init(definition, reference: reference)
    (grids, history, knownChanges) = (nil, [], [])
    var reader = ByteReader(unsafe bytes.span.bytes, place: "the state of monitor \(definition.name)")
    guard try reader.number(UInt8.self) == Self.version, try reader.number(UInt64.self) == definition.fingerprint else {
      return nil
    }
    names = try SegmentNames(from: &reader)
    if try reader.flag() {
      var read: [BinGrid] = []
      for _ in 0..<width { read.append(try NumericProfile(decoding: try reader.block()).grid) }
      grids = read
    }
    try readInputs(&reader)
    if try reader.flag() { beginning = try RowCounter(from: &reader, width: width, grids: nil) }
    for _ in 0..<(try reader.elements(ofSize: 17)) {
      let pane: Int64 = try reader.number()
      panes[pane] = try RowCounter(from: &reader, width: width, grids: grids)
    }
    for _ in 0..<(try reader.elements(ofSize: 52)) {
      let window: Int64 = try reader.number()
      windows[window] = try OpenWindow(from: &reader, width: width, grids: grids)
    }
    for _ in 0..<(try reader.elements(ofSize: 36)) {
      history.append(try ClosedWindow(from: &reader, grids: grids ?? []))
    }
    labels = try LabelJoin(from: &reader)
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let window: Int64 = try reader.number()
      labelledVersions[window] = try .init(from: &reader)
    }
    if try reader.flag() { calibration = try BinaryAccumulator(decoding: try reader.block()) }
    labelTrack = try LabelTrack(from: &reader)
    for _ in 0..<(try reader.elements(ofSize: 8)) {
      let column = Int(try reader.number(UInt32.self))
      detectors[column] = try DetectorTrack(from: &reader)
    }
    closedWindow = try reader.number()
    closedPane = try reader.number()
    closedLabels = try reader.number()
    lateCount = try reader.count()
    countedRows = try reader.count()
    beginningWindows = try reader.count()
    alarms = try AlarmBook(from: &reader)
    labelAlarms = try AlarmBook(from: &reader)
    try readPeople(&reader)
    guard reader.isAtEnd else { throw reader.broken("bytes behind its end") }
  }

  private mutating func readInputs(_ reader: inout ByteReader) throws(HeadraceError) {
    for _ in 0..<(try reader.elements(ofSize: 28)) {
      let number: Int32 = try reader.number()
      var partition = Partition(watermark: try reader.number(), waiting: .init(partition: number))
      partition.join = try SourceJoin(from: &reader)
      partition.waiting = try PredictionRows(from: &reader, partition: number, width: width)
      partition.refused = try RefusedEvents(from: &reader)
      for _ in 0..<(try reader.elements(ofSize: 16)) {
        let offset: Int64 = try reader.number()
        partition.corrected[offset] = try reader.double()
      }
      partitions[number] = partition
    }
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let number: Int32 = try reader.number()
      labelWatermarks[number] = try reader.number()
    }
  }

  private mutating func readPeople(_ reader: inout ByteReader) throws(HeadraceError) {
    for _ in 0..<(try reader.elements(ofSize: 25)) {
      let hasFeature = try reader.flag()
      let feature = try reader.text()
      silences.append(
        Silence(
          feature: hasFeature ? feature : nil, startMilliseconds: try reader.number(),
          endMilliseconds: try reader.number(), reason: try reader.text()))
    }
    for _ in 0..<(try reader.elements(ofSize: 20)) {
      knownChanges.append(
        KnownChange(
          startMilliseconds: try reader.number(), endMilliseconds: try reader.number(), about: try reader.text()))
    }
    for _ in 0..<(try reader.elements(ofSize: 16)) {
      defects.append(
        DataDefect(feature: try reader.text(), code: try reader.text(), endMilliseconds: try reader.number()))
    }
  }
}

extension PredictionRows {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: count))
    for row in 0..<count {
      for number in [timesMilliseconds[row], offsets[row], eventOffsets[row]] { writer.number(number) }
      writer.number(scores[row].bitPattern)
      writer.number(versions[row])
    }
    for value in values { writer.number(value.bitPattern) }
  }

  init(from reader: inout ByteReader, partition: Int32, width: Int) throws(HeadraceError) {
    self.init(partition: partition)
    for _ in 0..<(try reader.elements(ofSize: 36)) {
      timesMilliseconds.append(try reader.number())
      offsets.append(try reader.number())
      eventOffsets.append(try reader.number())
      scores.append(try reader.double())
      versions.append(try reader.number())
    }
    for _ in 0..<count * width { values.append(Float(bitPattern: try reader.number())) }
  }
}
