import Core
import RemoteModels
import Testing

/// The cache against a plain list.
@Suite struct AnswerCacheTests {
  @Test(arguments: 0..<6)
  func `what is younger than its lifetime and fits is found, and nothing else`(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    // Five entries of two features and one score.
    let entryBytes = 2 * 4 + 8 + 160
    var cache = AnswerCache(lifetimeMilliseconds: 50, bytesMax: 5 * entryBytes)
    var naive: [(row: [UInt32], score: Double, at: Int64)] = []
    var now: Int64 = 0
    for step in 0..<3_000 {
      now += Int64.random(in: 0...6, using: &generator)
      let row = [UInt32.random(in: 0..<3, using: &generator), UInt32.random(in: 0..<4, using: &generator)]
      if Bool.random(using: &generator) {
        let score = Double(step)
        cache.insert([score], of: row, nowMilliseconds: now)
        naive.removeAll { $0.row == row }
        naive.append((row, score, now))
        naive = naive.suffix(5)
      } else {
        let expected = naive.last { $0.row == row && now < $0.at + 50 }.map { [$0.score] }
        #expect(cache.scores(of: row, nowMilliseconds: now) == expected, "seed \(seed), step \(step)")
      }
      #expect(cache.sizeBytes == cache.count * entryBytes && cache.count <= 5)
    }
  }

  @Test func `an answer larger than the cache is not kept`() {
    var cache = AnswerCache(lifetimeMilliseconds: 50, bytesMax: 100)
    cache.insert([1], of: [1], nowMilliseconds: 0)
    #expect(cache.count == 0 && cache.sizeBytes == 0)
  }
}
