import Core
import Testing

@testable import Drift

@Suite struct ExactSumTests {
  private func sum(_ values: [Double]) -> ExactSum {
    var sum = ExactSum()
    for value in values { sum.add(value) }
    return sum
  }

  @Test func `a sum is rounded once`() {
    #expect(sum([1e308, 1e308, -1e308, -1e308]).rounded == 0)
    #expect(sum([1, 1e100, 1, -1e100]).rounded == 2)
    #expect(sum([1e308, 1e308]).rounded == .infinity)
    #expect(sum([-1e308, -1e308]).rounded == -.infinity)
    #expect(sum(.init(repeating: 0.1, count: 10)).rounded == 1)
    #expect(sum([.leastNonzeroMagnitude, .leastNonzeroMagnitude]).rounded == 2 * .leastNonzeroMagnitude)
    // Exactly half way goes to the even neighbour; anything below decides.
    #expect(sum([1, .ulpOfOne / 2]).rounded == 1)
    #expect(sum([1, .ulpOfOne / 2, .leastNonzeroMagnitude]).rounded == 1 + .ulpOfOne)
    #expect(sum([-1, -.ulpOfOne / 2, -.leastNonzeroMagnitude]).rounded == -1 - .ulpOfOne)
    #expect(sum([0, -0.0]).rounded == 0)
    #expect(sum([.greatestFiniteMagnitude, -.greatestFiniteMagnitude.nextDown]).rounded == 0x1p971)
  }

  @Test func `sums and squares equal integer arithmetic`() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      let integers = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        Int64.random(in: -(1 << 50)...(1 << 50), using: &random) >> Int64.random(in: 0...50, using: &random)
      }
      var (total, squares) = (0 as Int128, 0 as Int128)
      var (exact, exactSquares, products) = (ExactSum(), ExactSum(), ExactSum())
      for integer in integers {
        total += Int128(integer)
        squares += Int128(integer) * Int128(integer)
        exact.add(Double(integer) * 0x1p-30)
        exactSquares.addSquare(Double(integer) * 0x1p-30)
        products.addProduct(Double(integer) * 0x1p-20, -Double(integer) * 0x1p-40)
      }
      #expect(exact.rounded == Double(total) * 0x1p-30)
      #expect(exactSquares.rounded == Double(squares) * 0x1p-60)
      #expect(products.rounded == -Double(squares) * 0x1p-60)
    }
  }

  @Test(arguments: 0..<40)
  func `order and cuts leave no trace`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let values = (0..<300).map { _ in random.awkward(false) }
    let whole = sum(values)
    var merged = ExactSum()
    for part in random.parts(of: values) { merged.merge(sum(part)) }
    #expect(merged == whole)
    #expect(merged.rounded.bitPattern == whole.rounded.bitPattern)
    #expect(merged.canonical.limbs == whole.canonical.limbs)
    var difference = merged
    difference.subtract(whole, times: 1)
    #expect(difference.rounded == 0)
    #expect(difference.canonical.limbs.isEmpty)
  }

  @Test func `the variance of values far from zero is right to the last digits`() throws {
    var random = SplitMix64(seed: 3)
    var moments = Moments()
    let values = (0..<2_000).map { _ in 1e9 + random.bell() }
    for value in values { moments.add(value) }
    let mean = values.map { $0 - 1e9 }.reduce(0, +) / 2_000
    let variance = values.map { ($0 - 1e9 - mean) * ($0 - 1e9 - mean) }.reduce(0, +) / 2_000
    #expect(isNear(try #require(moments.variance), variance, relative: 1e-12))
    var constant = Moments()
    for _ in 0..<7 { constant.add(0.1) }
    #expect(constant.variance == 0)
    #expect(constant.mean == 0.1)
    #expect(Moments().mean == nil)
    #expect(Moments().variance == nil)
  }
}
