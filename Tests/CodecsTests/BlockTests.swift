import Codecs
import Core
import Testing

struct BlockTests {
  @Test(arguments: BlockCodec.allCases)
  func `blocks come back, and only in their own size`(codec: BlockCodec) throws {
    let compressor = BlockCompressor()
    let decompressor = BlockDecompressor()
    var generator = SplitMix64(seed: 4)
    for length in [0, 1, 100, 70_000] {
      let input = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.next() % 7) }
      var room = [UInt8](repeating: 0, count: compressor.maximumBytes(inputBytes: length, codec: codec))
      let count = try unsafe input.withUnsafeBytes { input in
        try unsafe room.withUnsafeMutableBytes { try unsafe compressor.compress(input, codec: codec, into: $0) }
      }
      for wanted in [length, length + 1, max(length - 1, 0)] {
        var output = [UInt8](repeating: 0, count: wanted)
        let result = Result {
          try unsafe room[..<count].withUnsafeBytes { block in
            try unsafe output.withUnsafeMutableBytes {
              try unsafe decompressor.decompress(block, codec: codec, into: $0)
            }
          }
        }
        let isRead = (try? result.get()) != nil
        #expect(isRead == (wanted == length), "\(codec), \(length) as \(wanted)")
        if wanted == length { #expect(output == input) }
      }
    }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 100, 1_000])
  func `byte streams are those of a loop over bytes`(count: Int) {
    var generator = SplitMix64(seed: 8)
    let values = (0..<count * 8).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    var streams = [UInt8](repeating: 0, count: count * 8 + 1)
    var joined = [UInt8](repeating: 0, count: count * 8 + 1)
    unsafe values.withUnsafeBytes { values in
      unsafe streams.withUnsafeMutableBytes { streams in
        guard let source = values.baseAddress, let target = streams.baseAddress else { return }
        unsafe ByteStreams.split(source, count: count, into: target)
      }
    }
    var expected: [UInt8] = []
    for stream in 0..<8 { expected += (0..<count).map { values[8 * $0 + stream] } }
    #expect(Array(streams.dropLast()) == expected)
    for first in [0, count / 3] {
      unsafe streams.withUnsafeBytes { streams in
        unsafe joined.withUnsafeMutableBytes { joined in
          guard let source = streams.baseAddress, let target = joined.baseAddress else { return }
          unsafe ByteStreams.join(source, streamBytes: count, first: first, count: count - first, into: target)
        }
      }
      #expect(Array(joined[..<(8 * (count - first))]) == Array(values[(8 * first)...]))
    }
  }
}
