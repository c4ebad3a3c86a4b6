import Codecs
import Core
import Testing

@Suite struct ByteStreamTests {
  /// Three frames, so that a cut falls into headers, trailers and borders too.
  @Test(arguments: [CompressionCodec.none, .gzip, .zstd])
  func everyCutGivesTheSame(codec: CompressionCodec) throws {
    let compressor = Compressor()
    var generator = SplitMix64(seed: 6)
    var compressed: [UInt8] = []
    var expected: [UInt8] = []
    for count in [0, 300, 60] {
      let bytes = Shape.lines.bytes(count, using: &generator)
      compressed += try compressor.compress(bytes, codec)
      expected += bytes
    }
    for cut in 0...compressed.count {
      #expect(try ByteStreamDecompressor.decompress(compressed, codec, cuts: [cut]) == expected, "cut at \(cut)")
    }
    let everywhere = Array(0...compressed.count)
    #expect(try ByteStreamDecompressor.decompress(compressed, codec, cuts: everywhere) == expected)
  }

  @Test(arguments: [CompressionCodec.none, .gzip, .zstd], [21, 22, 23] as [UInt64])
  func largeStreamsInRandomPieces(codec: CompressionCodec, seed: UInt64) throws {
    let compressor = Compressor()
    var generator = SplitMix64(seed: seed)
    var compressed: [UInt8] = []
    var expected: [UInt8] = []
    for shape in Shape.allCases {
      let bytes = shape.bytes(500_000, using: &generator)
      compressed += try compressor.compress(bytes, codec)
      expected += bytes
    }
    let count = compressed.count
    let cuts = (0..<20).map { _ in Int.random(in: 0...count, using: &generator) }.sorted()
    #expect(try ByteStreamDecompressor.decompress(compressed, codec, cuts: cuts) == expected, "seed \(seed)")
  }

  @Test(arguments: [CompressionCodec.gzip, .zstd])
  func endingEarlyIsAnErrorAtTheEnd(codec: CompressionCodec) throws {
    let compressed = try Compressor().compress(Array("some value that is long enough".utf8), codec)
    for count in 0..<compressed.count {
      let stream = ByteStreamDecompressor(codec: codec)
      var output: [UInt8] = []
      try stream.append(compressed[..<count], to: &output)
      let error = #expect(throws: CodecError.self) { try stream.finish() }
      #expect(error?.kind == .truncated, "after \(count) bytes")
    }
  }

  @Test(arguments: [CompressionCodec.gzip, .zstd])
  func failuresStayAndNameThePlace(codec: CompressionCodec) throws {
    let stream = ByteStreamDecompressor(codec: codec)
    var output: [UInt8] = []
    try stream.append(Compressor().compress(Array("fine".utf8), codec)[...], to: &output)
    #expect(output == Array("fine".utf8))
    let garbage = Array("this is not compressed".utf8)
    let first = #expect(throws: CodecError.self) { try stream.append(garbage[...], to: &output) }
    #expect(first?.kind == .corrupt)
    #expect(first?.detail.contains("at byte ") == true)
    #expect(throws: try #require(first)) { try stream.append([], to: &output) }
    #expect(throws: try #require(first)) { try stream.finish() }
  }

  @Test func oneAppendIsBounded() throws {
    let bomb = try Compressor().compress([UInt8](repeating: 0, count: 4 << 20), .zstd)
    let stream = ByteStreamDecompressor(codec: .zstd, maximumBytesPerAppend: 1 << 20)
    var output: [UInt8] = []
    let error = #expect(throws: CodecError.self) { try stream.append(bomb[...], to: &output) }
    #expect(error?.kind == .tooLarge)
    #expect(output.count <= 2 << 20)
  }

  /// A window of 2 GiB, as `zstd --long=31` declares it: a frame header with window descriptor 31 - 10 = 21, shifted by
  /// 3.
  @Test func zstandardWindowsAboveTheLimitAreRefused() throws {
    let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0]
    let stream = ByteStreamDecompressor(codec: .zstd)
    var output: [UInt8] = []
    let error = #expect(throws: CodecError.self) { try stream.append(frame[...], to: &output) }
    #expect(error?.kind == .unsupported)
  }

  @Test(arguments: [CompressionCodec.snappy, .lz4])
  func otherCodecsAreNoFileFormats(codec: CompressionCodec) {
    var output: [UInt8] = []
    let error = #expect(throws: CodecError.self) { try ByteStreamDecompressor(codec: codec).append([1], to: &output) }
    #expect(error?.kind == .unsupported)
  }

  @Test(
    arguments: [
      ("events.jsonl", [0x1f, 0x8b, 8, 0], .gzip),
      ("events.jsonl.gz", [0x28, 0xb5, 0x2f, 0xfd], .zstd),
      ("-", [0x5a, 0x2a, 0x4d, 0x18], .zstd),
      ("events.jsonl.GZ", [], .gzip),
      ("events.csv.zst", Array("a,b,".utf8), .zstd),
      ("events.csv", Array("a,b,".utf8), .none),
      ("events.csv", [], .none),
    ] as [(String, [UInt8], CompressionCodec)])
  func codecIsFoundByMagicThenByName(name: String, firstBytes: [UInt8], expected: CompressionCodec) {
    let found = unsafe firstBytes.withUnsafeBytes {
      unsafe ByteStreamDecompressor.codec(forFileName: name, firstBytes: $0)
    }
    #expect(found == expected)
  }
}
