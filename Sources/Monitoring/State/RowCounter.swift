internal import Core
internal import Drift

/// Counts rows of numbers into a profile for each column: on grids once there are any, in sketches before.
///
/// A value that is one reference wide: it moves in and out of tables without a copy of its many buffers.
struct RowCounter: Sendable {
  // Unchecked: changed only through the one counter that refers to it; a second one makes a copy first.
  private final class Box: @unchecked Sendable {
    var counts: RowCounts

    init(_ counts: RowCounts) { self.counts = counts }
  }

  private var box: Box

  /// - Parameter grids: nil while the reference is still to be found.
  init(width: Int, grids: [BinGrid]?) { box = Box(RowCounts(width: width, grids: grids)) }

  private mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&box) { box = Box(box.counts) }
  }

  var rowCount: Int { box.counts.rowCount }

  /// - Parameter rows: whole rows.
  mutating func add(_ rows: Span<Float>) {
    makeUnique()
    box.counts.add(rows)
  }

  /// Goes over from sketches to grids.
  mutating func adopt(_ grids: [BinGrid]) {
    makeUnique()
    box.counts.adopt(grids)
  }

  mutating func merge(_ other: RowCounter) {
    makeUnique()
    box.counts.merge(other.box.counts)
  }

  /// Of everything that was added; empty while there are no grids.
  var profiles: [NumericProfile] { box.counts.profiles }

  /// Of everything that was added; empty once there are grids.
  var sketches: [ColumnSketch] { box.counts.sketches }
}

extension RowCounter {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt64(rowCount))
    let hasGrids = box.counts.profiler != nil
    writer.number(hasGrids ? 1 as UInt8 : 0)
    for part in !hasGrids ? sketches.flatMap(\.encoded) : profiles.map(\.encoded) {
      unsafe writer.block(part.span.bytes)
    }
  }

  init(from reader: inout ByteReader, width: Int, grids: [BinGrid]?) throws(HeadraceError) {
    self.init(width: width, grids: grids)
    box.counts.rowCount = try reader.count()
    let hasGrids = try reader.flag()
    guard hasGrids == (grids != nil) else { throw reader.broken("rows on other grids") }
    for column in 0..<width {
      if let grids {
        let profile = try NumericProfile(decoding: try reader.block())
        guard profile.grid == grids[column] else { throw reader.broken("a profile on another grid") }
        box.counts.base[column] = profile
      } else {
        box.counts.baseSketches[column] = try ColumnSketch(
          quantiles: try QuantileSketch(decoding: try reader.block()),
          moments: try Moments(decoding: try reader.block()),
          missing: try reader.block())
      }
    }
  }
}

/// What a counter holds.
private struct RowCounts: Sendable {
  /// Rows that wait until there are enough for the counting loops.
  private static let bufferedRows = 256

  let width: Int
  /// What was counted in a former life of the process, or by another counter: on the grids, once there are any.
  var base: [NumericProfile]
  private(set) var profiler: MatrixProfiler?
  /// The same while there are no grids.
  var baseSketches: [ColumnSketch]
  private var sketcher: MatrixSketcher?
  private var buffer: [Float] = []
  var rowCount = 0

  /// - Parameter grids: nil while the reference is still to be found.
  init(width: Int, grids: [BinGrid]?) {
    self.width = width
    base = grids?.map { NumericProfile($0) } ?? []
    profiler = grids.map { MatrixProfiler($0) }
    baseSketches = grids == nil ? [ColumnSketch](repeating: ColumnSketch(), count: width) : []
    sketcher = grids == nil ? MatrixSketcher(width: width) : nil
  }

  /// - Parameter rows: whole rows.
  mutating func add(_ rows: Span<Float>) {
    rowCount += rows.count / width
    guard rows.count < Self.bufferedRows * width else {
      count(rows)
      return
    }
    unsafe rows.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    if buffer.count >= Self.bufferedRows * width { flush() }
  }

  private mutating func flush() {
    var rows: [Float] = []
    swap(&rows, &buffer)
    count(rows.span)
    rows.removeAll(keepingCapacity: true)
    swap(&rows, &buffer)
  }

  private mutating func count(_ rows: Span<Float>) {
    // Taken out while they are changed: no copy.
    if var counting = profiler.take() {
      counting.add(rows)
      profiler = counting
    }
    if var sketching = sketcher.take() {
      sketching.add(rows)
      sketcher = sketching
    }
  }

  /// Goes over from sketches to grids.
  mutating func adopt(_ grids: [BinGrid]) {
    guard profiler == nil else { return }
    base = zip(sketches, grids).map { $0.profile(on: $1) }
    baseSketches = []
    sketcher = nil
    buffer = []
    profiler = MatrixProfiler(grids)
  }

  /// Of everything that was added; empty while there are no grids.
  var profiles: [NumericProfile] {
    guard profiler != nil else { return [] }
    var copy = self
    copy.flush()
    var all = copy.base
    for (column, profile) in (copy.profiler?.profiles ?? []).enumerated() { all[column].merge(profile) }
    return all
  }

  /// Of everything that was added; empty once there are grids.
  var sketches: [ColumnSketch] {
    guard sketcher != nil else { return [] }
    var copy = self
    copy.flush()
    var all = copy.baseSketches
    for (column, sketch) in (copy.sketcher?.columns ?? []).enumerated() { all[column].merge(sketch) }
    return all
  }

  mutating func merge(_ other: RowCounts) {
    rowCount += other.rowCount
    for (column, sketch) in other.sketches.enumerated() { baseSketches[column].merge(sketch) }
    for (column, profile) in other.profiles.enumerated() { base[column].merge(profile) }
  }
}
