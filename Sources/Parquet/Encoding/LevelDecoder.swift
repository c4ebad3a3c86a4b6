/// Definition or repetition levels of a page.
enum LevelDecoder {
  /// A field without levels of this kind: every level is 0.
  case absent
  case runs(HybridDecoder, maximum: UInt8)
  /// Of the deprecated BIT_PACKED encoding, all of the page.
  case bytes([UInt8], index: Int, maximum: UInt8)

  /// What comes next.
  enum Segment {
    case same(UInt8, count: Int)
    /// That many levels, in the buffer.
    case mixed(count: Int)
  }

  /// The next levels are known to be equal, and need no buffer.
  var isRun: Bool {
    switch self {
    case .absent: true
    case .runs(let runs, _): runs.runCount > 0 && runs.repeated != nil
    case .bytes: false
    }
  }

  /// Bits of a level up to `maximum`.
  static func bitWidth(maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

  /// The next levels, at most `limit` of them.
  ///
  /// - Parameter buffer: room for `limit` levels, used for those that differ.
  mutating func next(
    _ limit: Int, into buffer: UnsafeMutablePointer<UInt8>
  ) throws(ParquetFault) -> Segment {
    switch self {
    case .absent: return .same(0, count: limit)
    case .runs(var runs, let maximum):
      try runs.beginRun()
      let count = min(limit, runs.runCount)
      if let level = runs.repeated {
        guard level <= UInt32(maximum) else { throw Self.tooHigh(level, maximum) }
        runs.pass(count)
        self = .runs(runs, maximum: maximum)
        return .same(UInt8(level), count: count)
      }
      unsafe runs.decodeLevels(count, into: buffer)
      self = .runs(runs, maximum: maximum)
      try unsafe Self.check(buffer, count, maximum)
      return .mixed(count: count)
    case .bytes(let levels, let index, let maximum):
      let count = min(limit, levels.count - index)
      guard count > 0 else { throw .corrupt("fewer levels than values") }
      for offset in 0..<count { unsafe buffer[offset] = levels[index + offset] }
      self = .bytes(levels, index: index + count, maximum: maximum)
      try unsafe Self.check(buffer, count, maximum)
      return .mixed(count: count)
    }
  }

  private static func check(
    _ levels: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: UInt8
  ) throws(ParquetFault) {
    var highest: UInt8 = 0
    for index in 0..<count { unsafe highest = max(highest, levels[index]) }
    guard highest <= maximum else { throw tooHigh(UInt32(highest), maximum) }
  }

  private static func tooHigh(_ level: UInt32, _ maximum: UInt8) -> ParquetFault {
    .corrupt("a level of \(level) where \(maximum) is the highest")
  }
}
