import Core
import Testing

@testable import OnlineStore

@Suite struct RowTableTests {
  /// A row that counts how many of it are alive.
  private struct Row: ~Copyable {
    var number: Int
    let alive: Counter

    init(_ number: Int, _ alive: Counter) {
      self.number = number
      self.alive = alive
      alive.count += 1
    }

    deinit { alive.count -= 1 }
  }

  private final class Counter { var count = 0 }

  /// Keys of every length around what is kept inline; hashes with few different upper halves, so that runs are long.
  private static func key(_ number: Int) -> [UInt8] {
    Array("\(number)".utf8) + Array(repeating: UInt8(number & 0xff), count: number % 23)
  }

  private static func hash(_ number: Int, _ distinct: Int) -> UInt64 {
    UInt64(number % distinct) << 32 | UInt64(number)
  }

  private static func with<Result>(_ number: Int, _ distinct: Int, _ body: (KeyProbe) -> Result) -> Result {
    let key = key(number)
    return unsafe key.withUnsafeBytes { unsafe body(KeyProbe($0, hash: hash(number, distinct))) }
  }

  @Test(arguments: [1, 3, 50, 100_000], UInt64(1)...3)
  func `rows are found, changed and removed as in a dictionary`(distinct: Int, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let alive = Counter()
    var expected: [Int: Int] = [:]
    do {
      var table = RowTable<Row>(minimumCapacity: 1)
      for step in 0..<4_000 {
        let number = Int.random(in: 0..<300, using: &random)
        let index = Self.with(number, distinct) { table.find($0) }
        #expect((index >= 0) == (expected[number] != nil), "seed \(seed), step \(step)")
        if index < 0 {
          let made = Self.with(number, distinct) { table.insert($0, Row(step, alive)) }
          let isThere = table.isOccupied(made)
          #expect(isThere)
          expected[number] = step
        } else if Int.random(in: 0..<2, using: &random) == 0 {
          table.remove(index)
          expected[number] = nil
        } else {
          unsafe table.entry(index).pointee.row.number += 1
          expected[number, default: 0] += 1
        }
        if step % 500 == 0 { table.adopt(table.grownSlots(for: 10)) }
        #expect(table.count == expected.count && alive.count == expected.count)
      }
      for (number, value) in expected {
        let index = Self.with(number, distinct) { table.find($0) }
        try #require(index >= 0)
        #expect(unsafe table.entry(index).pointee.row.number == value)
        let key = unsafe table.entry(index).pointee.withKey { key in unsafe key.withUnsafeBytes { unsafe Array($0) } }
        #expect(key == Self.key(number))
      }
    }
    #expect(alive.count == 0)
  }

  @Test func `leading bytes order short and long keys as keys are ordered`() {
    let alive = Counter()
    var table = RowTable<Row>()
    let keys = ["", "a", "ab", "b", "b0123456789012345", "b0123456789012345678", "zz"].map { Array($0.utf8) }
    let leading = keys.map { key in
      unsafe key.withUnsafeBytes { bytes in
        let index = unsafe table.insert(KeyProbe(bytes, hash: Hash64.hash(bytes)), Row(0, alive))
        return unsafe table.entry(index).pointee.leadingBytes
      }
    }
    #expect(leading == leading.sorted())
    #expect(Set(leading).count == 6, "the two that agree in sixteen bytes are as one")
  }
}
