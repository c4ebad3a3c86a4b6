internal import Columns
internal import Core

/// Numbers in single precision, a third of them with another mean and a third with another spread in the current
/// window; categories of 4 to 20 names.
struct BenchmarkData {
  private(set) var reference: [[Double]] = []
  private(set) var current: [[Double]] = []
  /// The current numbers, row by row.
  private(set) var matrix: [Float] = []
  private(set) var columns: [Column] = []
  private(set) var referenceCategories: [Column] = []
  private(set) var categoryColumns: [Column] = []

  init(rowCount: Int, width: Int) {
    var random = SplitMix64(seed: 11)
    for feature in 0..<width {
      let shift = feature % 3 == 0 ? 0.02 * Float(feature) : 0
      let scale = feature % 3 == 1 ? 1 + 0.02 * Float(feature) : 1
      reference.append((0..<rowCount).map { _ in Double(Self.bell(&random)) })
      current.append((0..<rowCount).map { _ in Double(Self.bell(&random) * scale + shift) })
    }
    matrix.reserveCapacity(rowCount * width)
    for row in 0..<rowCount {
      for feature in 0..<width { matrix.append(Float(current[feature][row])) }
    }
    columns = current.map { Column(doubles: $0, isValid: [Bool](repeating: true, count: rowCount)) }
    for feature in 0..<5 {
      referenceCategories.append(Self.names(rowCount, 4 * (feature + 1), &random))
      categoryColumns.append(Self.names(rowCount, 4 * (feature + 1), &random))
    }
  }

  private static func bell(_ random: inout SplitMix64) -> Float {
    var total = 0.0
    for _ in 0..<12 { total += Double(random.next() >> 11) * 0x1p-53 }
    return Float(total - 6)
  }

  private static func names(_ rowCount: Int, _ distinct: Int, _ random: inout SplitMix64) -> Column {
    let names = (0..<distinct).map { "v\($0)" }
    var column = Column(.string)
    column.reserveCapacity(rowCount)
    for _ in 0..<rowCount {
      let uniform = Double(random.next() >> 11) * 0x1p-53
      column.append(names[Int(uniform * uniform * Double(distinct))])
    }
    return column
  }
}
