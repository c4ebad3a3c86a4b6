import Core
import Testing

@Suite struct Hash64Tests {
  private static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe Hash64.hash($0, seed: seed) }
  }

  @Test func `every byte of every length counts, and so does the length`() {
    for count in 0...200 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      let hash = Self.hash(bytes)
      #expect(hash != Self.hash(bytes + [0]))
      for index in 0..<count {
        var other = bytes
        other[index] ^= 1
        #expect(hash != Self.hash(other), "byte \(index) of \(count)")
      }
    }
  }

  @Test func `numbers in a row, as text, give no hash twice, in either half`() {
    var high: Set<UInt32> = []
    var all: Set<UInt64> = []
    let count = 200_000
    for number in 0..<count {
      let hash = Self.hash(Array("user-\(number)".utf8))
      all.insert(hash)
      high.insert(UInt32(truncatingIfNeeded: hash >> 32))
    }
    #expect(all.count == count)
    // Of 2^32 values about five are expected to meet.
    #expect(high.count > count - 30)
  }

  @Test func `a flipped bit flips half of the hash`() {
    var random = SplitMix64(seed: 1)
    for count in [1, 3, 4, 8, 15, 16, 17, 40, 48, 49, 96, 100] {
      var flips = 0
      let rounds = 400
      for _ in 0..<rounds {
        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let hash = Self.hash(bytes)
        bytes[Int.random(in: 0..<count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        flips += (hash ^ Self.hash(bytes)).nonzeroBitCount
      }
      let average = Double(flips) / Double(rounds)
      #expect(abs(average - 32) < 1.2, "\(count) bytes: \(average)")
    }
  }

  /// A constant that meets its own value makes a factor zero: the other factor must survive.
  @Test func `hostile keys do not wipe out the rest of a key`() {
    let constants: [UInt64] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3]
    for constant in constants {
      let start = unsafe withUnsafeBytes(of: constant.littleEndian) { unsafe Array($0) }
      var short: Set<UInt64> = []
      var long: Set<UInt64> = []
      for number in 0..<1_000 {
        let rest = unsafe withUnsafeBytes(of: UInt64(number).littleEndian) { unsafe Array($0) }
        short.insert(Self.hash(start + rest))
        long.insert(Self.hash(start + rest + start + rest + start + rest + start))
      }
      #expect(short.count == 1_000 && long.count == 1_000)
    }
  }

  @Test func `values are frozen: they are on disks`() {
    let texts = ["", "a", "abc", "user-1", "0123456789abcdef", "0123456789abcdefg"]
    let hashes = texts.map { Self.hash(Array($0.utf8)) }
    #expect(hashes == Self.frozen)
    let long = Array(repeating: UInt8(7), count: 150)
    #expect(Self.hash(long, seed: 42) == Self.frozenLong)
    let id = unsafe Hash128(Array("event-1".utf8).span.bytes)
    #expect(id == Hash128(high: Self.frozenID.0, low: Self.frozenID.1))
  }

  private static let frozen: [UInt64] = [
    2_182_469_754_827_266_486, 10_308_745_033_983_262_736, 5_542_171_608_492_472_832, 8_290_802_039_020_926_496,
    8_528_004_820_730_312_456, 4_505_240_997_604_153_444,
  ]
  private static let frozenLong: UInt64 = 12_014_843_405_424_936_919
  private static let frozenID: (UInt64, UInt64) = (15_643_194_921_998_643_690, 3_492_455_803_870_933_714)
}
