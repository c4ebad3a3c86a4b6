internal import Broker
internal import Core

/// Finds a valid request of an API by asking the decoder: bytes are drawn at random, and those in front of the place
/// that it complains about are kept. So a new API or version needs no example here.
struct RequestGrower {
  private static let bodyBytes = 60
  private static let attempts = 2_000
  /// Bytes in front of the complaint that are drawn anew, since a length there may be what is wrong.
  private static let reconsideredBytes = 6

  let key: APIKey
  let version: Int16

  /// - Returns: the richest of the requests found, without bytes after its end; nil if none was found.
  func grow() -> [UInt8]? {
    var generator = SplitMix64(seed: UInt64(truncatingIfNeeded: Int(key.rawValue) << 16 | Int(version)))
    let header = Self.bigEndian(key.rawValue) + Self.bigEndian(version) + [0, 0, 0, 7] + [0, 4] + Array("fuzz".utf8)
    var frame = header + Self.plausible(Self.bodyBytes, &generator)
    var best: [UInt8]?
    var reached = 0
    for _ in 0..<Self.attempts {
      var candidate = frame
      let start = max(header.count, reached - generator.below(Self.reconsideredBytes + 1))
      candidate.replaceSubrange(start..., with: Self.plausible(header.count + Self.bodyBytes - start, &generator))
      guard let complaint = complaint(about: candidate) else {
        let found = shortest(candidate)
        if found.count > best?.count ?? 0 { best = found }
        reached = header.count
        continue
      }
      if complaint >= reached {
        reached = complaint
        frame = candidate
      } else if generator.oneIn(50) {
        reached = header.count
      }
    }
    return best
  }

  /// Where the decoder stops; nil when it does not.
  private func complaint(about frame: [UInt8]) -> Int? {
    do throws(WireError) {
      _ = try FrameTarget.decode(frame)
      return nil
    } catch {
      return error.offset
    }
  }

  private func shortest(_ frame: [UInt8]) -> [UInt8] {
    var count = frame.count
    while count > 0, complaint(about: Array(frame[..<(count - 1)])) == nil { count -= 1 }
    return Array(frame[..<count])
  }

  /// Small numbers, most of them zero, and letters between them: what lengths and short strings look like.
  private static func plausible(_ count: Int, _ generator: inout SplitMix64) -> [UInt8] {
    (0..<max(count, 0)).map { _ in
      switch generator.below(8) {
      case 0..<4: 0
      case 4..<7: UInt8(generator.below(4))
      default: UInt8(0x61 + generator.below(26))
      }
    }
  }

  private static func bigEndian(_ value: Int16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }
}
