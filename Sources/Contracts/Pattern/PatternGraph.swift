/// A pattern as a nondeterministic automaton over bytes (Thompson, 1968).
struct PatternGraph {
  enum Edge {
    /// One byte of this range.
    case byte(ClosedRange<UInt8>, to: Int)
    case free(to: Int)
    /// Free at the first byte of the text only.
    case atStart(to: Int)
    /// Free behind the last byte only.
    case atEnd(to: Int)
  }

  private(set) var edges: [[Edge]] = []
  private(set) var start = 0
  private(set) var accepting = 0

  static let statesMax = 20_000

  mutating func build(_ node: PatternNode) throws(Pattern.Failure) {
    start = try state()
    accepting = try add(node, from: start)
  }

  private mutating func state() throws(Pattern.Failure) -> Int {
    guard edges.count < Self.statesMax else {
      throw Pattern.Failure(message: "the pattern is too large: shorten its repetitions", offset: 0)
    }
    edges.append([])
    return edges.count - 1
  }

  /// Adds what `node` matches behind `from`.
  /// - Returns: the state that is reached when it matched.
  private mutating func add(_ node: PatternNode, from: Int) throws(Pattern.Failure) -> Int {
    switch node {
    case .empty: return from
    case .start: return try step(from) { .atStart(to: $0) }
    case .end: return try step(from) { .atEnd(to: $0) }
    case .characters(let ranges):
      let end = try state()
      for range in ranges { try add(range, from: from, to: end) }
      return end
    case .sequence(let parts):
      var position = from
      for part in parts { position = try add(part, from: position) }
      return position
    case .choice(let branches):
      let end = try state()
      for branch in branches {
        let entry = try step(from) { .free(to: $0) }
        let exit = try add(branch, from: entry)
        edges[exit].append(.free(to: end))
      }
      return end
    case .repetition(let part, let minimum, let maximum):
      return try add(part, from: from, minimum: minimum, maximum: maximum)
    }
  }

  private mutating func step(_ from: Int, _ edge: (Int) -> Edge) throws(Pattern.Failure) -> Int {
    let end = try state()
    edges[from].append(edge(end))
    return end
  }

  private mutating func add(
    _ part: PatternNode, from: Int, minimum: Int, maximum: Int?
  ) throws(Pattern.Failure) -> Int {
    var position = from
    for _ in 0..<minimum { position = try add(part, from: position) }
    guard let maximum else {
      // Own states around the loop, so that what comes before and behind cannot enter it.
      let entry = try step(position) { .free(to: $0) }
      let exit = try add(part, from: entry)
      edges[exit].append(.free(to: entry))
      return try step(entry) { .free(to: $0) }
    }
    let end = try state()
    for _ in minimum..<maximum {
      edges[position].append(.free(to: end))
      let entry = try step(position) { .free(to: $0) }
      position = try add(part, from: entry)
    }
    edges[position].append(.free(to: end))
    return end
  }

  /// The UTF-8 sequences of a range of scalars, as paths of byte ranges.
  private mutating func add(
    _ range: ClosedRange<UInt32>, from: Int, to end: Int
  ) throws(Pattern.Failure) {
    // Inside of these, all sequences have one length.
    let lengths: [ClosedRange<UInt32>] = [0...0x7f, 0x80...0x7ff, 0x800...0xd7ff, 0xe000...0xffff, 0x10000...0x10_ffff]
    for part in lengths where part.overlaps(range) {
      try addEqualLength(part.clamped(to: range), from: from, to: end)
    }
  }

  private mutating func addEqualLength(
    _ range: ClosedRange<UInt32>, from: Int, to end: Int
  ) throws(Pattern.Failure) {
    // Cut until all bytes but the first that differs run through all of their values.
    for shift in [UInt32(6), 12, 18] {
      let mask = (UInt32(1) << shift) - 1
      guard range.lowerBound | mask != range.upperBound | mask, range.upperBound > mask else { continue }
      if range.lowerBound & mask != 0 {
        try addEqualLength(range.lowerBound...(range.lowerBound | mask), from: from, to: end)
        return try addEqualLength((range.lowerBound | mask) + 1...range.upperBound, from: from, to: end)
      }
      if range.upperBound & mask != mask {
        try addEqualLength(range.lowerBound...((range.upperBound & ~mask) - 1), from: from, to: end)
        return try addEqualLength((range.upperBound & ~mask)...range.upperBound, from: from, to: end)
      }
    }
    let (low, high) = (Self.encoded(range.lowerBound), Self.encoded(range.upperBound))
    var position = from
    for index in low.indices {
      let isLast = index == low.count - 1
      let target = isLast ? end : try state()
      edges[position].append(.byte(low[index]...high[index], to: target))
      position = target
    }
  }

  private static func encoded(_ scalar: UInt32) -> [UInt8] {
    Unicode.Scalar(scalar).map { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) } ?? []
  }
}
