internal import Core
internal import Drift

/// Counts rows of numbers into a profile for each column: on grids once there are any, in sketches before.
struct RowCounter: Sendable {
  /// Rows that wait until there are enough for the counting loops.
  private static let bufferedRows = 256

  private let width: Int
  /// What was counted in a former life of the process.
  private var base: [NumericProfile]
  private var profiler: MatrixProfiler?
  private(set) var sketches: [ColumnSketch]
  private var buffer: [Float] = []
  private(set) var rowCount = 0

  /// - Parameter grids: nil while the reference is still to be found.
  init(width: Int, grids: [BinGrid]?) {
    self.width = width
    base = grids?.map { NumericProfile($0) } ?? []
    profiler = grids.map { MatrixProfiler($0) }
    sketches = grids == nil ? [ColumnSketch](repeating: ColumnSketch(), count: width) : []
  }

  /// - Parameter rows: whole rows.
  mutating func add(_ rows: Span<Float>) {
    rowCount += rows.count / width
    guard profiler != nil else {
      for place in rows.indices { sketches[place % width].add(Double(rows[place])) }
      return
    }
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
    // Taken out while it is changed: no copy.
    guard var counting = profiler.take() else { return }
    counting.add(rows)
    profiler = counting
  }

  /// Goes over from sketches to grids.
  mutating func adopt(_ grids: [BinGrid]) {
    guard profiler == nil else { return }
    base = zip(sketches, grids).map { $0.profile(on: $1) }
    sketches = []
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

  mutating func merge(_ other: RowCounter) {
    rowCount += other.rowCount
    if profiler == nil {
      for column in sketches.indices { sketches[column].merge(other.sketches[column]) }
    } else {
      for (column, profile) in other.profiles.enumerated() { base[column].merge(profile) }
    }
  }
}

extension RowCounter {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt64(rowCount))
    writer.number(profiler == nil ? 0 as UInt8 : 1)
    for part in profiler == nil ? sketches.flatMap(\.encoded) : profiles.map(\.encoded) {
      unsafe writer.block(part.span.bytes)
    }
  }

  init(from reader: inout ByteReader, width: Int, grids: [BinGrid]?) throws(HeadraceError) {
    self.init(width: width, grids: grids)
    rowCount = try reader.count()
    let hasGrids = try reader.flag()
    guard hasGrids == (grids != nil) else { throw reader.broken("rows on other grids") }
    for column in 0..<width {
      if let grids {
        let profile = try NumericProfile(decoding: try reader.block())
        guard profile.grid == grids[column] else { throw reader.broken("a profile on another grid") }
        base[column] = profile
      } else {
        sketches[column] = try ColumnSketch(
          quantiles: try QuantileSketch(decoding: try reader.block()),
          moments: try Moments(decoding: try reader.block()),
          missing: try reader.block())
      }
    }
  }
}

/// A column before there is a grid: where its values lie, exactly enough to put them on a grid of the sketch's edges.
struct ColumnSketch: Sendable {
  private(set) var quantiles = QuantileSketch()
  private(set) var moments = Moments()
  private(set) var missingCount = 0

  init() {}

  init(quantiles: QuantileSketch, moments: Moments, missing: [UInt8]) throws(HeadraceError) {
    self.quantiles = quantiles
    self.moments = moments
    var reader = ByteReader(unsafe missing.span.bytes, place: "a sketch")
    missingCount = try reader.count()
  }

  mutating func add(_ value: Double) {
    guard !value.isNaN else {
      missingCount += 1
      return
    }
    quantiles.add(value)
    moments.add(value)
  }

  mutating func merge(_ other: ColumnSketch) {
    quantiles.merge(other.quantiles)
    moments.merge(other.moments)
    missingCount += other.missingCount
  }

  func profile(on grid: BinGrid) -> NumericProfile {
    NumericProfile(quantiles, moments, missingCount: missingCount, on: grid)
  }

  var encoded: [[UInt8]] {
    var missing = ByteWriter()
    missing.number(UInt64(missingCount))
    return [quantiles.encoded, moments.encoded, missing.bytes]
  }
}
