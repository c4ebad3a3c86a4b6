import Codecs
import Core
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: CompressionCodec.allCases, Shape.allCases)
  func everyShapeComesBack(codec: CompressionCodec, shape: Shape) throws {
    let compressor = Compressor()
    let decompressor = Decompressor()
    for seed in UInt64(1)...4 {
      var generator = SplitMix64(seed: seed)
      let bytes = shape.bytes(Int.random(in: 1...400_000, using: &generator), using: &generator)
      let compressed = try compressor.compress(bytes, codec)
      guard codec != .none || !bytes.isEmpty else { continue }
      let result = try decompressor.decompress(compressed, codec)
      #expect(result == bytes, "seed \(seed), \(bytes.count) bytes")
    }
  }

  @Test func snappyStreamsOfJavaAreRead() throws {
    let compressor = Compressor()
    let decompressor = Decompressor()
    for seed in UInt64(1)...8 {
      var generator = SplitMix64(seed: seed)
      let bytes = Shape.lines.bytes(Int.random(in: 1...100_000, using: &generator), using: &generator)
      let blockBytes = Int.random(in: 1_000...40_000, using: &generator)
      let stream = try xerialStream(bytes, blockBytes: blockBytes, compressor: compressor)
      #expect(try decompressor.decompress(stream, .snappy) == bytes, "seed \(seed)")
      #expect(try decompressor.decompress(stream + stream, .snappy) == bytes + bytes, "seed \(seed)")
    }
  }

  @Test(arguments: [CompressionCodec.gzip, .lz4, .zstd])
  func framesMayFollowOneAnother(codec: CompressionCodec) throws {
    let compressor = Compressor()
    let decompressor = Decompressor()
    var generator = SplitMix64(seed: 5)
    var compressed: [UInt8] = []
    var expected: [UInt8] = []
    for shape in Shape.allCases {
      let bytes = shape.bytes(70_000, using: &generator)
      compressed += try compressor.compress(bytes, codec)
      expected += bytes
    }
    #expect(try decompressor.decompress(compressed, codec) == expected)
  }

  @Test func zstandardSkipsSkippableFrames() throws {
    let bytes = Array("after the skippable frame".utf8)
    let skippable: [UInt8] = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
    let compressed = skippable + (try Compressor().compress(bytes, .zstd))
    #expect(try Decompressor().decompress(compressed, .zstd) == bytes)
    #expect(try ByteStreamDecompressor.decompress(compressed, .zstd) == bytes)
  }

  /// One decompressor serves all codecs, and a failure leaves nothing behind.
  @Test(arguments: [11, 12, 13] as [UInt64])
  func contextsSurviveFailures(seed: UInt64) throws {
    let compressor = Compressor()
    let decompressor = Decompressor()
    var generator = SplitMix64(seed: seed)
    for _ in 0..<60 {
      let codec = CompressionCodec.allCases[Int.random(in: 1..<5, using: &generator)]
      let bytes = Shape.lines.bytes(Int.random(in: 1...20_000, using: &generator), using: &generator)
      let compressed = try compressor.compress(bytes, codec)
      let cut = Array(compressed[..<Int.random(in: 0..<compressed.count, using: &generator)])
      #expect(try decompressor.failure(cut, codec) != nil, "seed \(seed), \(codec)")
      #expect(try decompressor.decompress(compressed, codec) == bytes, "seed \(seed), \(codec)")
    }
  }
}
