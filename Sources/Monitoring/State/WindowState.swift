internal import Core
internal import Drift

/// A window that may still grow: what is counted for it beside its panes.
struct OpenWindow: Sendable {
  var rowCount = 0
  var newestMilliseconds = Int64.min
  /// First and last offset of each partition that gave rows.
  var offsets: [Int32: ClosedRange<Int64>] = [:]
  /// Rows that each registered version has scored.
  var versions: [Int32: Int] = [:]
  /// Rows of each segment.
  var segmentRows: [UInt32: Int] = [:]
  var segments: [UInt32: RowCounter] = [:]
  /// Segments whose names have this hash or a greater one have no place among those that are told apart.
  var segmentHashLimit = UInt64.max
  var scores = ScoreHistogram()
  /// Events that were read in its time, and those that broke their contract.
  var eventCount = 0
  var refusedCount = 0

  /// By producer, where dead letters say so; not kept, as it comes when the window is over.
  var refusedBy: [UInt32: Int] = [:]

  var refusedShare: Double { eventCount == 0 ? 0 : Double(refusedCount) / Double(eventCount) }
}

/// A window that is over.
struct ClosedWindow: Sendable {
  /// Its start, in windows since 1970.
  var index: Int64
  var rowCount = 0
  var profiles: [NumericProfile] = []
  /// Which registered versions said the scores of the last profile.
  var versions: [Int32: Int] = [:]
  var segmentRows: [UInt32: Int] = [:]
  var refusedShare = 0.0
  /// From its newest row to its end.
  var ageMilliseconds: Int64 = 0

  mutating func merge(_ other: ClosedWindow) {
    index = min(index, other.index)
    let rows = Double(rowCount + other.rowCount)
    if rows > 0 {
      refusedShare =
        (refusedShare * Double(rowCount) + other.refusedShare * Double(other.rowCount)) / rows
    }
    rowCount += other.rowCount
    ageMilliseconds = max(ageMilliseconds, other.ageMilliseconds)
    for column in profiles.indices { profiles[column].merge(other.profiles[column]) }
    segmentRows.merge(other.segmentRows, uniquingKeysWith: +)
    versions.merge(other.versions, uniquingKeysWith: +)
  }
}

extension OpenWindow {
  func write(to writer: inout ByteWriter) {
    for count in [rowCount, eventCount, refusedCount] { writer.number(UInt64(clamping: count)) }
    writer.number(newestMilliseconds)
    writer.number(UInt32(clamping: offsets.count))
    for (partition, range) in offsets.sorted(by: { $0.key < $1.key }) {
      writer.number(partition)
      writer.number(range.lowerBound)
      writer.number(range.upperBound)
    }
    versions.write(to: &writer)
    segmentRows.write(to: &writer)
    writer.number(UInt32(clamping: segments.count))
    for (segment, rows) in segments.sorted(by: { $0.key < $1.key }) {
      writer.number(segment)
      rows.write(to: &writer)
    }
    scores.write(to: &writer)
  }

  init(from reader: inout ByteReader, width: Int, grids: [BinGrid]?) throws(HeadraceError) {
    rowCount = try reader.count()
    eventCount = try reader.count()
    refusedCount = try reader.count()
    newestMilliseconds = try reader.number()
    for _ in 0..<(try reader.elements(ofSize: 20)) {
      let partition: Int32 = try reader.number()
      let (first, last): (Int64, Int64) = (try reader.number(), try reader.number())
      guard first <= last else { throw reader.broken("offsets") }
      offsets[partition] = first...last
    }
    versions = try .init(from: &reader)
    segmentRows = try .init(from: &reader)
    for _ in 0..<(try reader.elements(ofSize: 13)) {
      let segment: UInt32 = try reader.number()
      segments[segment] = try RowCounter(from: &reader, width: width, grids: grids)
    }
    var bins: [(bin: Int, count: Int)] = []
    for _ in 0..<(try reader.elements(ofSize: 10)) {
      bins.append((Int(try reader.number(UInt16.self)), try reader.count()))
    }
    scores = ScoreHistogram(bins)
  }
}

extension ClosedWindow {
  func write(to writer: inout ByteWriter) {
    writer.number(index)
    writer.number(UInt64(clamping: rowCount))
    writer.number(refusedShare.bitPattern)
    writer.number(ageMilliseconds)
    for profile in profiles { unsafe writer.block(profile.encoded.span.bytes) }
    versions.write(to: &writer)
    segmentRows.write(to: &writer)
  }

  init(from reader: inout ByteReader, grids: [BinGrid]) throws(HeadraceError) {
    self.init(index: try reader.number())
    rowCount = try reader.count()
    refusedShare = try reader.double()
    ageMilliseconds = try reader.number()
    for grid in grids {
      let profile = try NumericProfile(decoding: try reader.block())
      guard profile.grid == grid else { throw reader.broken("a window on another grid") }
      profiles.append(profile)
    }
    versions = try .init(from: &reader)
    segmentRows = try .init(from: &reader)
  }
}

extension [Int32: Int] {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: count))
    for (version, rows) in sorted(by: { $0.key < $1.key }) {
      writer.number(version)
      writer.number(UInt64(clamping: rows))
    }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    self = [:]
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let version: Int32 = try reader.number()
      self[version] = try reader.count()
    }
  }
}

extension [UInt32: Int] {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: count))
    for (segment, rows) in sorted(by: { $0.key < $1.key }) {
      writer.number(segment)
      writer.number(UInt64(clamping: rows))
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(HeadraceError) {
    self = [:]
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      let segment: UInt32 = try reader.number()
      self[segment] = try reader.count()
    }
  }
}
