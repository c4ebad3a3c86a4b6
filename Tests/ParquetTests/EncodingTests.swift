import Columns
import Core
import Testing

@testable import Parquet

/// Each encoding against a version of it that works bit by bit.
struct EncodingTests {
  static let seed = UInt64.random(in: 0...UInt64.max)

  private func numbers(_ count: Int, width: Int, _ generator: inout SplitMix64) -> [UInt64] {
    let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
    var values: [UInt64] = []
    while values.count < count {
      let value = generator.next() & mask
      let run = generator.next() % 4 == 0 ? Int(generator.next() % 40) : 1
      values += Array(repeating: value, count: run)
    }
    return Array(values.prefix(count))
  }

  @Test func `runs and packed groups are written as the specification says`() throws {
    var generator = SplitMix64(seed: Self.seed)
    for width in 0...32 {
      for count in [0, 1, 7, 8, 9, 31, 32, 33, 1_000] {
        let values = numbers(count, width: width, &generator)
        let bytes = PageBytes.array { page in
          unsafe values.map { UInt32($0) }.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe HybridEncoder.append(base, count: count, bitWidth: width, to: page)
          }
        }
        #expect(Naive.hybrid(bytes, width: width, count: count) == values, "width \(width), seed \(Self.seed)")
      }
    }
  }

  @Test func `runs and packed groups are read in pieces of any size`() throws {
    var generator = SplitMix64(seed: Self.seed)
    for width in 0...32 {
      for _ in 0..<20 {
        let values = numbers(Int(generator.next() % 500), width: width, &generator)
        let page = PageBytes(Naive.randomHybrid(values, width: width, &generator))
        defer { page.keepAlive() }
        var decoder = try HybridDecoder(page.cursor, bitWidth: width)
        var found: [UInt32] = []
        while found.count < values.count {
          let count = min(values.count - found.count, 1 + Int(generator.next() % 100))
          var piece = [UInt32](repeating: 0, count: count)
          try unsafe piece.withUnsafeMutableBufferPointer { buffer throws(ParquetFault) in
            guard let base = buffer.baseAddress else { return }
            try unsafe decoder.decode(count, into: base)
          }
          found += piece
        }
        #expect(found.map { UInt64($0) } == values, "width \(width), seed \(Self.seed)")
      }
    }
  }

  @Test func `deltas of every width come back`() throws {
    var generator = SplitMix64(seed: Self.seed)
    for width in 0...64 {
      for count in [0, 1, 2, 127, 128, 129, 130, 1_000] {
        let values = numbers(count, width: width, &generator).map { Int64(bitPattern: $0) }
        let blocks = [(128, 4), (128, 1), (256, 8), (2_048, 8), (32, 1)][Int(generator.next() % 5)]
        let theirs = Naive.delta(values, blockCount: blocks.0, miniblocks: blocks.1, &generator)
        let ours = PageBytes.array { page in
          unsafe values.withUnsafeBufferPointer { unsafe DeltaBinaryEncoder.append($0, is32Bit: false, to: page) }
        }
        for bytes in [theirs, ours] {
          let page = PageBytes(bytes + [1, 2, 3])
          defer { page.keepAlive() }
          var decoder = try DeltaBinaryDecoder(page.cursor, is32Bit: false)
          #expect(decoder.count == count)
          #expect(try decoder.rest().remaining == 3, "width \(width), seed \(Self.seed)")
          var column = Column(.integer)
          while column.count < count {
            try decoder.append(min(count - column.count, 1 + Int(generator.next() % 90)), to: &column)
          }
          #expect(column.integers == values, "width \(width), count \(count), seed \(Self.seed)")
        }
      }
    }
  }

  @Test func `deltas of 32 bits wrap around`() throws {
    let values: [Int64] = [Int64(Int32.max), Int64(Int32.min), 0, -1, Int64(Int32.max), Int64(Int32.min)]
    let bytes = PageBytes.array { page in
      unsafe values.withUnsafeBufferPointer { unsafe DeltaBinaryEncoder.append($0, is32Bit: true, to: page) }
    }
    let page = PageBytes(bytes)
    defer { page.keepAlive() }
    var decoder = try DeltaBinaryDecoder(page.cursor, is32Bit: true)
    var column = Column(.integer)
    try decoder.append(values.count, to: &column)
    #expect(column.integers == values)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 31, 100])
  func `byte streams are split and joined`(count: Int) throws {
    var generator = SplitMix64(seed: Self.seed)
    let values = (0..<count).map { _ in Double(bitPattern: generator.next()) }
    var column = Column(.double)
    for value in values { column.append(value) }
    let leaf = try ParquetSchema([.column("d", .double)]).leaves[0]
    let bytes = PageBytes.array { DirectEncoder.append(0..<count, of: column, leaf, .byteStreamSplit, to: $0) }
    let naive = values.map { value in (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * $0)) } }
    #expect(bytes == Naive.split(naive))
    let page = PageBytes(bytes)
    defer { page.keepAlive() }
    var decoder = try ByteStreamSplitDecoder(page.cursor, type: .double, width: 8, isUnsigned: false)
    var found = Column(.double)
    while found.count < count { try decoder.append(min(count - found.count, 7), to: &found) }
    #expect(found.doubles.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func `strings with shared prefixes come back`() throws {
    var generator = SplitMix64(seed: Self.seed)
    let values = (0..<300).map { _ in
      Array("a/b/c/\(generator.next() % 9)".utf8).prefix(Int(generator.next() % 9)) + [UInt8(generator.next() % 256)]
    }
    var prefixes: [Int64] = []
    var suffixes: [[UInt8]] = []
    for (index, value) in values.enumerated() {
      let shared = index == 0 ? 0 : zip(values[index - 1], value).prefix { $0 == $1 }.count
      prefixes.append(Int64(shared))
      suffixes.append(Array(value.dropFirst(shared)))
    }
    let lengths = Naive.delta(suffixes.map { Int64($0.count) }, blockCount: 128, miniblocks: 4, &generator)
    let bytes = Naive.delta(prefixes, blockCount: 128, miniblocks: 4, &generator) + lengths + suffixes.flatMap(\.self)
    let page = PageBytes(bytes)
    defer { page.keepAlive() }
    var decoder = try DeltaTextDecoder(page.cursor)
    var column = Column(.bytes)
    while column.count < values.count { try decoder.append(min(values.count - column.count, 37), to: &column) }
    #expect(values.indices.allSatisfy { column.value($0) == .bytes(Array(values[$0])) }, "seed \(Self.seed)")
  }

  @Test func `levels of the deprecated packing have the highest bit first`() throws {
    // 0 to 7 in three bits each, from the example of Encodings.md.
    let page = PageBytes([0b0000_0101, 0b0011_1001, 0b0111_0111])
    defer { page.keepAlive() }
    #expect(HybridDecoder.oldBitPacked(page.cursor, bitWidth: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
  }

  @Test func `a decimal's bytes are its two's complement`() throws {
    #expect(try ValueConversion.decimal([]) == 0)
    #expect(try ValueConversion.decimal([0xff]) == -1)
    #expect(try ValueConversion.decimal([0x01, 0x00]) == 256)
    #expect(try ValueConversion.decimal(Array(repeating: 0xff, count: 20)[...]) == -1)
    #expect(throws: ParquetFault.self) { try ValueConversion.decimal(([1] + Array(repeating: 0, count: 16))[...]) }
    #expect(throws: ParquetFault.self) { try ValueConversion.decimal(([0] + Array(repeating: 0xff, count: 16))[...]) }
  }

  @Test func `dictionaries number values by their bits`() {
    var generator = SplitMix64(seed: Self.seed)
    let doubles = (0..<20_000).map { _ in
      generator.next() % 3 == 0
        ? Double(generator.next() % 5_000) : [0.0, -0.0, .nan, .infinity][Int(generator.next() % 4)]
    }
    var column = Column(.double)
    var text = Column(.string)
    for value in doubles {
      column.append(value)
      text.append("\(value)")
    }
    for (values, isText) in [(column, false), (text, true)] {
      let dictionary = ValueDictionary(isText: isText)
      var numbers = [UInt32](repeating: 0, count: values.count)
      unsafe numbers.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        unsafe dictionary.number(0..<7_001, of: values, into: base)
        unsafe dictionary.number(7_001..<values.count, of: values, into: base + 7_001)
      }
      let distinct = dictionary.values(values.type)
      let expected = Set(doubles.map(\.bitPattern))
      #expect(distinct.count == expected.count)
      #expect(
        numbers.indices.allSatisfy { row in
          isText
            ? distinct.value(Int(numbers[row])) == values.value(row)
            : distinct.doubles[Int(numbers[row])].bitPattern == doubles[row].bitPattern
        }, "seed \(Self.seed)")
    }
  }
}
