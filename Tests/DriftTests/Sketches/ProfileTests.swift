import Columns
import Core
import Testing

@testable import Drift

@Suite struct ProfileTests {
  private func grid(_ seed: UInt64, fine: Int = 1) throws -> BinGrid {
    var random = SplitMix64(seed: seed)
    return try #require(
      BinGrid(quantilesOf: NumericSample((0..<500).map { _ in random.awkward() }), finePerCoarse: fine))
  }

  private func profile(_ values: [Double], _ grid: BinGrid) -> NumericProfile {
    var profile = NumericProfile(grid)
    for value in values { profile.add(value) }
    return profile
  }

  @Test(arguments: 0..<30)
  func `merging in any order, from any parts, through bytes, gives the same bits`(seed: Int) throws {
    let grid = try grid(UInt64(seed), fine: 1 + seed % 4)
    var random = SplitMix64(seed: UInt64(seed) + 100)
    let values = (0..<400).map { _ in random.awkward() }
    let whole = profile(values, grid)
    var merged = NumericProfile(grid)
    for part in random.parts(of: values) { merged.merge(try NumericProfile(decoding: profile(part, grid).encoded)) }
    #expect(merged == whole)
    #expect(merged.encoded == whole.encoded)
    #expect(merged == NumericProfile(NumericSample(values), on: grid))
    // The naive way.
    let numbers = values.filter { !$0.isNaN }
    for (bin, count) in whole.counts.enumerated() {
      let low = bin == 0 ? -Double.infinity : grid.edges[bin - 1]
      let high = bin == grid.edges.count ? Double.infinity : grid.edges[bin]
      let isLast = bin == grid.edges.count
      #expect(count == numbers.count { $0 >= low && (isLast || $0 < high) })
    }
    #expect(whole.missingCount == values.count - numbers.count)
    #expect(whole.belowCount == numbers.count { $0 < grid.lowest })
    #expect(whole.aboveCount == numbers.count { $0 > grid.highest })
  }

  @Test(arguments: [1, 3, 15, 16, 17, 30, 33])
  func `rows of single precision are counted as one value after the other would be`(width: Int) throws {
    let rowCount = width == 3 ? 33_100 : 700
    var random = SplitMix64(seed: UInt64(width))
    let grids = try (0..<width).map { try grid(UInt64($0) + 7, fine: 1 + $0 % 3) }
    let rows = (0..<rowCount * width).map { _ in random.awkwardFloat() }
    var profiler = MatrixProfiler(grids)
    var begin = 0
    while begin < rowCount {
      let end = min(begin + Int.random(in: 1...rowCount, using: &random), rowCount)
      profiler.add(Array(rows[begin * width..<end * width]).span)
      begin = end
    }
    let found = profiler.profiles
    for feature in 0..<width {
      var expected = NumericProfile(grids[feature])
      for row in 0..<rowCount { expected.add(Double(rows[row * width + feature])) }
      #expect(found[feature] == expected, "feature \(feature)")
      #expect(found[feature].encoded == expected.encoded)
    }
    profiler.removeAll()
    #expect(profiler.profiles == grids.map { NumericProfile($0) })
  }

  @Test(arguments: [ColumnType.double, .integer, .decimal(scale: 2)])
  func `a column is counted as one value after the other would be`(type: ColumnType) throws {
    let grid = try grid(5)
    for rowCount in [0, 1, 7, 1_024, 2_500] {
      var random = SplitMix64(seed: UInt64(rowCount))
      var column = Column(type)
      var expected = NumericProfile(grid)
      for _ in 0..<rowCount {
        if Int.random(in: 0..<5, using: &random) == 0 {
          column.appendNull()
          expected.addMissing()
          continue
        }
        switch type {
        case .integer:
          let value = Int64.random(in: -5...5, using: &random)
          column.append(value)
          expected.add(Double(value))
        case .double:
          let value = random.awkward()
          column.append(value)
          expected.add(value)
        default:
          let value = Int128(Int64.random(in: -500...500, using: &random))
          column.append(value)
          expected.add(Double(value) / 100)
        }
      }
      var found = NumericProfile(grid)
      found.add(column)
      #expect(found == expected, "\(type), \(rowCount) rows")
    }
  }

  @Test func `grids of constants, of few values and of nothing`() throws {
    #expect(BinGrid(quantilesOf: NumericSample([])) == nil)
    #expect(BinGrid(quantilesOf: NumericSample([.nan, .infinity, -.infinity])) == nil)
    let constant = try #require(BinGrid(quantilesOf: NumericSample([3, 3, 3])))
    #expect(constant.edges == [3])
    #expect(constant.bin(of: 2.9) == 0)
    #expect(constant.bin(of: 3) == 1)
    #expect(BinGrid(edges: [2, 1], lowest: 0, highest: 3) == nil)
    #expect(BinGrid(edges: [1, 1], lowest: 0, highest: 3) == nil)
    #expect(BinGrid(edges: [.nan], lowest: 0, highest: 3) == nil)
    let equal = try #require(BinGrid(equalWidth: 0...10, binCount: 5))
    #expect(equal.edges == [2, 4, 6, 8])
    #expect(equal.coarse([1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5])
  }

  @Test func `fine bins add up to the classic ones`() throws {
    var random = SplitMix64(seed: 9)
    let sample = NumericSample((0..<3_000).map { _ in (random.bell() * 10).rounded() / 10 })
    let plain = try #require(BinGrid(quantilesOf: sample))
    for fine in [1, 2, 5, 10] {
      let grid = try #require(BinGrid(quantilesOf: sample, finePerCoarse: fine))
      #expect(grid.coarseEdges.map { grid.edges[$0] } == plain.edges)
      #expect(grid.coarse(grid.counts(of: sample)) == plain.counts(of: sample))
    }
  }
}
