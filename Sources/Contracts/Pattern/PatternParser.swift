/// A pattern's meaning.
indirect enum PatternNode {
  case empty
  /// One character of these ranges of scalars.
  case characters([ClosedRange<UInt32>])
  case sequence([PatternNode])
  case choice([PatternNode])
  case repetition(PatternNode, minimum: Int, maximum: Int?)
  case start, end
}

/// Recursive descent over a pattern.
struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var at = 0
  private var depth = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func pattern() throws(Pattern.Failure) -> PatternNode {
    let node = try choice()
    if at < scalars.count { throw failure("this ) closes nothing; write \\) for the character") }
    return node
  }

  private func failure(_ message: String, at position: Int? = nil) -> Pattern.Failure {
    let offset = scalars.prefix(position ?? at).reduce(0) { $0 + UTF8.width($1) }
    return Pattern.Failure(message: message, offset: offset)
  }

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    at += 1
    return true
  }

  private mutating func choice() throws(Pattern.Failure) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Pattern.depthMax else { throw failure("groups are nested more than \(Pattern.depthMax) deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Pattern.Failure) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" { parts.append(try repeated()) }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  private mutating func repeated() throws(Pattern.Failure) -> PatternNode {
    var node = try atom()
    while let (minimum, maximum) = try quantifier() {
      if case .repetition = node { throw failure("a quantifier behind a quantifier; use a group", at: at - 1) }
      node = .repetition(node, minimum: minimum, maximum: maximum)
      // Lazy and greedy differ in what they prefer, not in what they match.
      _ = take("?")
      if next == "+" { throw failure("possessive quantifiers are not supported") }
    }
    return node
  }

  private mutating func quantifier() throws(Pattern.Failure) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard next == "{" else { return nil }
    let start = at
    at += 1
    guard let minimum = number() else {
      throw failure("expected {m}, {m,} or {m,n}; write \\{ for the character", at: start)
    }
    let maximum = take(",") ? number() : minimum
    guard take("}") else { throw failure("expected {m}, {m,} or {m,n}; write \\{ for the character", at: start) }
    guard minimum <= maximum ?? .max, max(minimum, maximum ?? 0) <= Pattern.repetitionsMax else {
      throw failure("expected counts that rise and are at most \(Pattern.repetitionsMax)", at: start)
    }
    return (minimum, maximum)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar) {
      value = min(100_000, (value ?? 0) * 10 + Int(scalar.value - 48))
      at += 1
    }
    return value
  }

  private mutating func atom() throws(Pattern.Failure) -> PatternNode {
    let start = at
    guard let scalar = next else { return .empty }
    at += 1
    switch scalar {
    case "(": return try group(start)
    case "[": return .characters(try characterClass(start))
    case ".": return .characters(Self.complement([0x0a...0x0a]))
    case "^": return .start
    case "$": return .end
    case "\\": return .characters(try escape(start))
    case "*", "+", "?", "{":
      throw failure("there is nothing that \(scalar) could repeat; write \\\(scalar) for the character", at: start)
    default: return .characters([scalar.value...scalar.value])
    }
  }

  private mutating func group(_ start: Int) throws(Pattern.Failure) -> PatternNode {
    if take("?"), !take(":") {
      throw failure("groups are ( ) and (?: ): lookaround, flags and names are not supported", at: start)
    }
    let node = try choice()
    guard take(")") else { throw failure("this ( is not closed", at: start) }
    // A group is one thing to a quantifier, a repetition inside of it included.
    if case .repetition = node { return .sequence([node]) }
    return node
  }
}

// MARK: Characters

extension PatternParser {
  private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  private static let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a]
  private static let spaces: [ClosedRange<UInt32>] = [0x09...0x0d, 0x20...0x20]

  /// Every scalar that is not in these ranges. Surrogates are no scalars.
  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var from: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > from { result.append(from...(range.lowerBound - 1)) }
      from = max(from, range.upperBound + 1)
    }
    if from <= 0x10_ffff { result.append(from...0x10_ffff) }
    return result
  }

  /// What stands behind a backslash: one character, or a class.
  private mutating func escape(_ start: Int) throws(Pattern.Failure) -> [ClosedRange<UInt32>] {
    guard let scalar = next else { throw failure("a backslash at the end; write \\\\ for the character", at: start) }
    at += 1
    switch scalar {
    case "d": return Self.digits
    case "D": return Self.complement(Self.digits)
    case "w": return Self.words
    case "W": return Self.complement(Self.words)
    case "s": return Self.spaces
    case "S": return Self.complement(Self.spaces)
    case "t": return [9...9]
    case "n": return [10...10]
    case "v": return [11...11]
    case "f": return [12...12]
    case "r": return [13...13]
    case "x": return [try hexadecimal(2, start)]
    case "u": return [try unicode(start)]
    case "1"..."9": throw failure("back references are not supported", at: start)
    case "a"..."z", "A"..."Z", "0": throw failure("\\\(scalar) is not supported", at: start)
    default: return [scalar.value...scalar.value]
    }
  }

  private mutating func hexadecimal(_ count: Int, _ start: Int) throws(Pattern.Failure) -> ClosedRange<UInt32> {
    let digits = String(String.UnicodeScalarView(scalars[at..<min(scalars.count, at + count)]))
    guard digits.utf8.count == count, !digits.hasPrefix("+"), !digits.hasPrefix("-"),
      let value = UInt32(digits, radix: 16), Unicode.Scalar(value) != nil
    else { throw failure("expected \(count) hexadecimal digits of a character", at: start) }
    at += count
    return value...value
  }

  private mutating func unicode(_ start: Int) throws(Pattern.Failure) -> ClosedRange<UInt32> {
    guard take("{") else { return try hexadecimal(4, start) }
    guard let end = scalars[at...].firstIndex(of: "}"), (1...6).contains(end - at) else {
      throw failure("expected \\u{H…} with one to six hexadecimal digits", at: start)
    }
    let range = try hexadecimal(end - at, start)
    at += 1
    return range
  }

  private mutating func characterClass(_ start: Int) throws(Pattern.Failure) -> [ClosedRange<UInt32>] {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while let scalar = next, scalar != "]" || isFirst {
      if scalar == "]" { throw failure("the class is empty; write [\\]] for the character", at: start) }
      if scalar == "[", at + 1 < scalars.count, scalars[at + 1] == ":" {
        throw failure("named classes are not supported; write \\d, \\w, \\s or ranges")
      }
      isFirst = false
      let low = try member()
      guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
        ranges += low
        continue
      }
      let dash = at
      at += 1
      let high = try member()
      guard let first = Self.single(low), let last = Self.single(high), first <= last else {
        throw failure("expected a range from a lower to a higher character; write \\- for the character", at: dash)
      }
      ranges.append(first...last)
    }
    guard take("]") else { throw failure("this [ is not closed", at: start) }
    return isNegated ? Self.complement(ranges) : ranges
  }

  private mutating func member() throws(Pattern.Failure) -> [ClosedRange<UInt32>] {
    let start = at
    guard let scalar = next else { return [] }
    at += 1
    return scalar == "\\" ? try escape(start) : [scalar.value...scalar.value]
  }

  private static func single(_ ranges: [ClosedRange<UInt32>]) -> UInt32? {
    ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil
  }
}
