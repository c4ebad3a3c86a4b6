internal import Core
internal import Drift

/// A column before there is a grid: where its values lie, exactly enough to put them on a grid of the sketch's edges.
struct ColumnSketch: Sendable {
  private(set) var quantiles = QuantileSketch()
  private(set) var moments = Moments()
  private(set) var missingCount = 0

  init() {}

  init(_ quantiles: QuantileSketch, _ moments: Moments, missingCount: Int) {
    self.quantiles = quantiles
    self.moments = moments
    self.missingCount = missingCount
  }

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

/// Sketches of all columns of rows, filled block by block.
struct MatrixSketcher: Sendable {
  private let width: Int
  private var quantiles: [QuantileSketch]
  /// For moments and missing values: its grids have one bin.
  private var profiler: MatrixProfiler

  init(width: Int) {
    self.width = width
    quantiles = .init(repeating: QuantileSketch(), count: width)
    profiler = MatrixProfiler(.init(repeating: .single, count: width))
  }

  /// - Parameter rows: whole rows.
  mutating func add(_ rows: Span<Float>) {
    profiler.add(rows)
    for column in quantiles.indices { quantiles[column].add(rows, column: column, width: width) }
  }

  var columns: [ColumnSketch] {
    zip(quantiles, profiler.profiles).map { ColumnSketch($0, $1.moments, missingCount: $1.missingCount) }
  }
}
