import Codecs
import Core
import Testing

/// An input that an attacker, or a bad disk, may send, and what must come of it.
struct HostileInput: CustomTestStringConvertible, Sendable {
  var name: String
  var codec: CompressionCodec
  var bytes: [UInt8]
  var expected: CodecError.Kind

  var testDescription: String { "\(codec): \(name)" }

  private static let xerialHeader: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]

  static let snappy: [HostileInput] = [
    HostileInput(name: "nothing", codec: .snappy, bytes: [], expected: .truncated),
    HostileInput(
      name: "magic without versions", codec: .snappy, bytes: Array(xerialHeader[..<15]), expected: .truncated),
    HostileInput(
      name: "zero lengths for ever", codec: .snappy, bytes: xerialHeader + [UInt8](repeating: 0, count: 8),
      expected: .corrupt),
    HostileInput(
      name: "negative length", codec: .snappy, bytes: xerialHeader + [0xff, 0xff, 0xff, 0xff, 0], expected: .corrupt),
    HostileInput(
      name: "most negative length", codec: .snappy, bytes: xerialHeader + [0x80, 0, 0, 0, 0], expected: .corrupt),
    HostileInput(
      name: "length past the end", codec: .snappy, bytes: xerialHeader + [0x7f, 0xff, 0xff, 0xff, 0],
      expected: .truncated),
    HostileInput(name: "half a length", codec: .snappy, bytes: xerialHeader + [0, 0], expected: .truncated),
    HostileInput(
      name: "claims 4 GiB", codec: .snappy, bytes: [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], expected: .corrupt),
    HostileInput(
      name: "endless varint", codec: .snappy, bytes: [UInt8](repeating: 0xff, count: 20), expected: .corrupt),
    HostileInput(name: "copy before the start", codec: .snappy, bytes: [4, 0x0e, 0xff, 0xff], expected: .corrupt),
  ]

  static let gzip: [HostileInput] = [
    HostileInput(name: "nothing", codec: .gzip, bytes: [], expected: .truncated),
    HostileInput(name: "only the magic", codec: .gzip, bytes: [0x1f, 0x8b], expected: .truncated),
    HostileInput(name: "zlib wrapper", codec: .gzip, bytes: [0x78, 0x9c, 0x03, 0, 0, 0, 0, 1], expected: .corrupt),
    HostileInput(
      name: "unknown method", codec: .gzip, bytes: [0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 3], expected: .corrupt),
    HostileInput(
      name: "block of the reserved type", codec: .gzip, bytes: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x07],
      expected: .corrupt),
  ]

  static let lz4: [HostileInput] = [
    HostileInput(name: "nothing", codec: .lz4, bytes: [], expected: .truncated),
    HostileInput(name: "only the magic", codec: .lz4, bytes: [0x04, 0x22, 0x4d, 0x18], expected: .truncated),
    HostileInput(name: "no magic", codec: .lz4, bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9], expected: .corrupt),
    HostileInput(
      name: "bad header checksum", codec: .lz4, bytes: [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x00, 0, 0, 0, 0],
      expected: .corrupt),
  ]

  /// The library says "source size wrong" for an input that ends early and for one that begins no frame: both are
  /// `truncated` here.
  static let zstd: [HostileInput] = [
    HostileInput(name: "nothing", codec: .zstd, bytes: [], expected: .truncated),
    HostileInput(name: "only the magic", codec: .zstd, bytes: [0x28, 0xb5, 0x2f, 0xfd], expected: .truncated),
    HostileInput(name: "no magic", codec: .zstd, bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9], expected: .truncated),
    HostileInput(
      name: "skippable frame past the end", codec: .zstd, bytes: [0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff],
      expected: .unsupported),
    HostileInput(
      name: "claims 1 EiB", codec: .zstd, bytes: [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0],
      expected: .corrupt),
  ]
}

@Suite struct HostileInputTests {
  @Test(arguments: HostileInput.snappy + HostileInput.gzip + HostileInput.lz4 + HostileInput.zstd)
  func tableOfKnownAttacks(input: HostileInput) throws {
    #expect(try Decompressor().failure(input.bytes, input.codec) == input.expected)
  }

  /// Every proper prefix of a valid input is an error. The empty one aside, its kind is `truncated` where the codec can
  /// tell.
  @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4, .zstd])
  func everyPrefixIsRefused(codec: CompressionCodec) throws {
    var generator = SplitMix64(seed: 3)
    let bytes = Shape.lines.bytes(900, using: &generator)
    let compressed = try Compressor().compress(bytes, codec)
    let decompressor = Decompressor()
    for count in 0..<compressed.count {
      let kind = try decompressor.failure(Array(compressed[..<count]), codec)
      #expect(kind == .truncated || (codec == .snappy && kind == .corrupt), "\(count) of \(compressed.count) bytes")
    }
  }

  /// Each single flipped bit is an error or some other output, never a crash.
  @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4, .zstd])
  func everyFlippedBitIsSurvived(codec: CompressionCodec) throws {
    var generator = SplitMix64(seed: 4)
    let bytes = Shape.lines.bytes(400, using: &generator)
    let compressed = try Compressor().compress(bytes, codec)
    let decompressor = Decompressor()
    for bit in 0..<compressed.count * 8 {
      var broken = compressed
      broken[bit / 8] ^= 1 << (bit % 8)
      let output = try? decompressor.decompress(broken, codec)
      // gzip checks its content: a bit that passes was in a field of the header, or pads the last block.
      if codec == .gzip { #expect(output == nil || output == bytes, "bit \(bit)") }
    }
  }

  @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd])
  func garbageAfterAFrameIsRefused(codec: CompressionCodec) throws {
    let compressed = try Compressor().compress(Array("value".utf8), codec)
    let kind = try Decompressor().failure(compressed + Array("garbage after it".utf8), codec)
    #expect(kind == (codec == .zstd ? .truncated : .corrupt))
  }

  @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4, .zstd])
  func outputOfJustTheLimitPassesAndOneMoreFails(codec: CompressionCodec) throws {
    let bytes = [UInt8](repeating: 7, count: 100_000)
    let compressed = try Compressor().compress(bytes, codec)
    let decompressor = Decompressor()
    #expect(try decompressor.decompress(compressed, codec, DecompressionLimit(maximumBytes: 100_000)) == bytes)
    #expect(try decompressor.failure(compressed, codec, DecompressionLimit(maximumBytes: 99_999)) == .tooLarge)
    #expect(try decompressor.failure(compressed, codec, DecompressionLimit(maximumBytes: 0)) == .tooLarge)
    let byRatio = DecompressionLimit(maximumBytes: 1 << 20, maximumRatio: 2, ratioFloorBytes: 1_000)
    #expect(try decompressor.failure(compressed, codec, byRatio) == .tooLarge)
  }

  /// 320 MiB and more of zeros. The limit stops them, and the next call gives back what they had filled.
  @Test(arguments: [CompressionCodec.gzip, .snappy, .lz4, .zstd])
  func bombsAreRefusedInBoundedMemory(codec: CompressionCodec) throws {
    let compressor = Compressor()
    let zeros = [UInt8](repeating: 0, count: 16 << 20)
    let part =
      codec == .snappy
      ? try xerialStream(zeros, blockBytes: 1 << 20, compressor: compressor) : try compressor.compress(zeros, codec)
    // As many bytes as the ratio needs to stay out of the way of the byte limit.
    let bomb = repeatElement(part, count: max(20, (32 << 10) / part.count + 1)).flatMap { $0 }
    let decompressor = Decompressor()
    #expect(try decompressor.failure(bomb, codec) == .tooLarge)

    let small = try compressor.compress([1, 2, 3], codec)
    let resident = try unsafe small.withUnsafeBytes { input in
      let output = unsafe try decompressor.decompress(input, codec: codec)
      #expect(unsafe output.elementsEqual([1, 2, 3]))
      return unsafe residentBytes(from: try #require(output.baseAddress), byteCount: 64 << 20)
    }
    #expect(resident <= 8 << 20)
  }

  @Test func smallBombsStopAtTheFloorOfTheRatio() throws {
    let bomb = try Compressor().compress([UInt8](repeating: 0, count: 30 << 20), .zstd)
    #expect(bomb.count < 4_096)
    #expect(try Decompressor().failure(bomb, .zstd) == .tooLarge)
    #expect(
      try Decompressor().decompress(bomb, .zstd, DecompressionLimit(maximumBytes: 64 << 20, maximumRatio: .max)).count
        == 30 << 20)
  }

  @Test func uncompressedInputIsHeldToTheLimitToo() throws {
    #expect(try Decompressor().failure([1, 2, 3], .none, DecompressionLimit(maximumBytes: 2)) == .tooLarge)
  }
}
