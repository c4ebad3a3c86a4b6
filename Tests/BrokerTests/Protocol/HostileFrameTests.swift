@testable import Broker
import Core
import NIOCore
import Testing

/// Whatever arrives, the decoder answers with a value or a `WireError`; a trap would end the test process.
@Suite("Hostile frames")
struct HostileFrameTests {
  @Test("every golden frame, cut at every byte")
  func truncation() throws {
    for golden in try GoldenFrame.load("requests.tsv") {
      for length in 0..<golden.bytes.readableBytes {
        let frame = try #require(golden.bytes.getSlice(at: 0, length: length))
        #expect(throws: WireError.self) { try RequestDecoder.decode(frame: frame) }
      }
    }
  }

  @Test("random bytes of golden frames changed", arguments: [UInt64(1), 2, 3])
  func flips(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    for golden in try GoldenFrame.load("requests.tsv") {
      for _ in 0..<50 {
        var frame = golden.bytes
        for _ in 0...Int.random(in: 0..<3, using: &generator) {
          // The key and the version stay, else nearly every frame would fail at once.
          let index = Int.random(in: min(4, frame.readableBytes - 1)..<frame.readableBytes, using: &generator)
          frame.setInteger(Self.nastyBytes.randomElement(using: &generator) ?? 0, at: index)
        }
        _ = try? RequestDecoder.decode(frame: frame)
      }
    }
  }

  @Test("noise behind every key and version", arguments: [UInt64(4), 5])
  func noise(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for key in Int16(-2)...70 {
      for version in Int16(-1)...13 {
        var frame = ByteBuffer(integer: key)
        frame.writeInteger(version)
        for _ in 0..<Int.random(in: 0..<64, using: &generator) {
          frame.writeInteger(UInt8.random(in: 0...255, using: &generator))
        }
        _ = try? RequestDecoder.decode(frame: frame)
      }
    }
  }

  private static let nastyBytes: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0xff]
}
