import Codecs
import Core

/// What the bytes of a test look like.
enum Shape: CaseIterable {
  case empty, oneByte, zeros, noise, lines, runs, halfNoise

  func bytes(_ count: Int, using generator: inout SplitMix64) -> [UInt8] {
    switch self {
    case .empty: []
    case .oneByte: [UInt8.random(in: .min ... .max, using: &generator)]
    case .zeros: [UInt8](repeating: 0, count: count)
    case .noise: Self.noise(count, using: &generator)
    case .lines: Self.lines(count, using: &generator)
    case .runs: Self.runs(count, using: &generator)
    case .halfNoise:
      Self.noise(count / 2, using: &generator) + Self.lines(count - count / 2, using: &generator)
    }
  }

  private static func noise(_ count: Int, using generator: inout SplitMix64) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  private static func lines(_ count: Int, using generator: inout SplitMix64) -> [UInt8] {
    var text: [UInt8] = []
    while text.count < count {
      let carrier = ["AA", "DL", "UA", "WN"][Int.random(in: 0..<4, using: &generator)]
      let delay = Int.random(in: -20..<180, using: &generator)
      text += Array(#"{"carrier":"\#(carrier)","flight":\#(generator.next() % 9_000),"dep_delay":\#(delay)}"#.utf8)
      text.append(0x0a)
    }
    return Array(text.prefix(count))
  }

  private static func runs(_ count: Int, using generator: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let length = Int.random(in: 1...300, using: &generator)
      bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: generator.next()), count: length)
    }
    return Array(bytes.prefix(count))
  }
}

extension Compressor {
  func compress(_ bytes: [UInt8], _ codec: CompressionCodec) throws -> [UInt8] {
    unsafe try bytes.withUnsafeBytes { unsafe try compress($0, codec: codec) }
  }
}

extension Decompressor {
  func decompress(_ bytes: [UInt8], _ codec: CompressionCodec, _ limit: DecompressionLimit = .standard) throws
    -> [UInt8]
  {
    unsafe try bytes.withUnsafeBytes { unsafe Array(try decompress($0, codec: codec, limit: limit)) }
  }

  /// The kind of the failure; nil when there is none.
  func failure(
    _ bytes: [UInt8], _ codec: CompressionCodec, _ limit: DecompressionLimit = .standard
  ) throws -> CodecError.Kind? {
    do {
      _ = try decompress(bytes, codec, limit)
      return nil
    } catch let error as CodecError {
      return error.kind
    }
  }
}

extension ByteStreamDecompressor {
  func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) throws {
    unsafe try bytes.withUnsafeBytes { unsafe try append($0, to: &output) }
  }

  /// Decompresses `bytes` cut at the given places.
  static func decompress(_ bytes: [UInt8], _ codec: CompressionCodec, cuts: [Int] = []) throws -> [UInt8] {
    let stream = ByteStreamDecompressor(codec: codec)
    var output: [UInt8] = []
    var start = 0
    for end in cuts + [bytes.count] {
      try stream.append(bytes[start..<end], to: &output)
      start = end
    }
    try stream.finish()
    return output
  }
}

func bigEndianBytes(_ value: Int32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * $0)) }
}

/// snappy-java's stream over blocks of the given sizes.
func xerialStream(_ bytes: [UInt8], blockBytes: Int, compressor: Compressor) throws -> [UInt8] {
  var stream: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] + bigEndianBytes(1) + bigEndianBytes(1)
  for start in stride(from: 0, to: bytes.count, by: blockBytes) {
    let block = try compressor.compress(Array(bytes[start..<min(start + blockBytes, bytes.count)]), .snappy)
    stream += bigEndianBytes(Int32(block.count)) + block
  }
  return stream
}
