import Columns
import Core
import Testing

@testable import Drift

@Suite struct SketchTests {
  @Test(arguments: 0..<10)
  func `quantiles are within one per cent, and a function of the set`(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let values = (0..<2_000).map { _ in random.awkward(false) }
    var whole = QuantileSketch()
    for value in values { whole.add(value) }
    var merged = QuantileSketch()
    for part in random.parts(of: values) {
      var sketch = QuantileSketch()
      for value in part { sketch.add(value) }
      merged.merge(try QuantileSketch(decoding: sketch.encoded))
    }
    #expect(merged == whole)
    #expect(merged.encoded == whole.encoded)
    let sorted = values.sorted()
    for step in 0...50 {
      let fraction = Double(step) / 50
      let exact = sorted[Int((fraction * 1_999).rounded(.down))]
      let found = try #require(whole.quantile(fraction))
      // Subnormal numbers have not the digits for one per cent.
      #expect((found - exact).magnitude <= max(0.01 * exact.magnitude * (1 + 1e-9), 0x1p-1060), "\(found), \(exact)")
    }
    #expect(QuantileSketch().quantile(0.5) == nil)
  }

  @Test func `a bin begins where its lower bound says`() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<300 {
      let key = QuantileSketch.key(random.awkward(false))
      let bound = QuantileSketch.lowerBound(key)
      #expect(QuantileSketch.key(bound) == key || bound == 0)
      #expect(QuantileSketch.key(bound.nextDown) < key)
    }
  }

  @Test(arguments: [1, 2, 10])
  func `a grid from a sketch has the counts that it says`(fine: Int) throws {
    var random = SplitMix64(seed: 12)
    let values = (0..<5_000).map { _ in random.bell() * 3 + 1 }
    var sketch = QuantileSketch()
    for value in values { sketch.add(value) }
    let (grid, counts) = try #require(sketch.grid(finePerCoarse: fine))
    let sample = NumericSample(values)
    #expect(grid.counts(of: sample) == counts)
    #expect(counts.count <= 10 * fine)
    #expect(grid.lowest <= sample.values[0] && grid.highest >= sample.values[4_999])
    for count in grid.coarse(counts) { #expect((350...650).contains(count)) }
  }

  @Test(arguments: [10, 511, 512, 5_000, 60_000])
  func `distinct counts`(count: Int) throws {
    var random = SplitMix64(seed: UInt64(count))
    let hashes = (0..<count).map { _ in random.next() }
    var whole = DistinctCounter()
    for hash in hashes + hashes { whole.add(hash: hash) }
    var merged = DistinctCounter()
    for part in random.parts(of: hashes) {
      var counter = DistinctCounter()
      for hash in part { counter.add(hash: hash) }
      merged.merge(try DistinctCounter(decoding: counter.encoded))
    }
    #expect(merged == whole)
    #expect(whole.isExact == (count <= DistinctCounter.exactLimit))
    if whole.isExact {
      #expect(whole.estimate == count)
    } else {
      #expect((Double(whole.estimate) / Double(count) - 1).magnitude < 4 * DistinctCounter.standardError)
    }
  }

  private func names(_ count: Int, distinct: Int, _ random: inout SplitMix64) -> [String] {
    // Some categories are much more frequent than others.
    (0..<count).map { _ in
      let uniform = random.uniform()
      return "k\(Int(uniform * uniform * uniform * Double(distinct)))"
    }
  }

  @Test(arguments: [5, 60, 3_000])
  func `categories are exact below the capacity and bounded above it`(distinct: Int) throws {
    var random = SplitMix64(seed: UInt64(distinct))
    let rows = names(6_000, distinct: distinct, &random)
    let exact = Dictionary(grouping: rows) { $0 }.mapValues(\.count)
    var whole = CategoryProfile(capacity: 64)
    for row in rows { whole.add(row) }
    var merged = CategoryProfile(capacity: 64)
    for part in random.parts(of: rows) {
      var profile = CategoryProfile(capacity: 64)
      for row in part { profile.add(row) }
      merged.merge(try CategoryProfile(decoding: profile.encoded))
    }
    #expect(whole.isExact == (distinct <= 64))
    if distinct <= 64 {
      #expect(merged == whole)
      #expect(merged.encoded == whole.encoded)
    }
    for profile in [whole, merged] {
      #expect(profile.count == 6_000)
      #expect(profile.errorBound <= 6_000 / 64)
      let found = Dictionary(
        uniqueKeysWithValues: profile.categories.map { (String(decoding: $0.name, as: UTF8.self), $0.count) })
      for (name, count) in exact {
        #expect((count - profile.errorBound...count).contains(found[name] ?? 0), "\(name)")
      }
      #expect(profile.distinct == whole.distinct)
    }
    #expect(whole.top(1).first?.name == "k0")
  }

  @Test func `texts, booleans and nulls of columns`() throws {
    var texts = Column(.string)
    for name in ["b", "a", "b"] { texts.append(name) }
    texts.appendNull()
    var profile = CategoryProfile()
    profile.add(texts)
    var booleans = Column(.boolean)
    for value in [true, false, true] { booleans.append(value) }
    profile.add(booleans)
    #expect(profile.categories.map { String(decoding: $0.name, as: UTF8.self) } == ["a", "b", "false", "true"])
    #expect(profile.categories.map(\.count) == [1, 2, 1, 2])
    #expect(profile.missingCount == 1)
    guard case .categorical(let window) = FeatureWindow(texts) else { return #expect(Bool(false)) }
    #expect(window.names.map { String(decoding: $0, as: UTF8.self) } == ["a", "b"])
    #expect(window.rows == [1, 0, 1, -1])
  }
}
