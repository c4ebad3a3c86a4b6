import Contracts
import Core
import Testing

@Suite struct PatternTests {
  @Test(arguments: [
    ("[A-Z]{3}", ["JFK", "EWR"], ["JF", "JFKX", "jfk", ""]), ("^[A-Z0-9]{2}$", ["UA", "9E"], ["U", "UAL"]),
    ("", [""], ["a"]), ("a|bc|", ["a", "bc", ""], ["b", "abc"]), ("(a|b)*c", ["c", "abbac"], ["ab", "ca"]),
    ("a+?b*", ["a", "aab"], ["b", ""]), (".", ["x", "é", "😀"], ["\n", "xx", ""]), ("[^a-c]", ["d", "日"], ["b"]),
    ("\\d{4}-\\d{2}", ["2013-01"], ["2013-1"]), ("\\w+@\\w+\\.com", ["a@b.com"], ["a@bxcom"]),
    ("[é-ü]+", ["éü"], ["e", "ý"]), ("[\\u0100-\\u{10ffff}]", ["Ā", "日", "😀"], ["ÿ", "a"]),
    ("(?:x{2,3}){2}", ["xxxx", "xxxxxx"], ["xxx", "xxxxxxx"]), ("\\x41\\t[\\]\\-]", ["A\t]", "A\t-"], ["A\tx"]),
    ("a{0}b", ["b"], ["ab"]), ("[a-]", ["a", "-"], ["b"]), ("(^a|b)c$", ["ac", "bc"], ["c"]),
    ("a^b", [], ["ab", "a^b"]),
    ("a$b", [], ["ab"]), ("(^)*x", ["x"], ["xx"]), ("[^\\d\\s]+", ["ab"], ["a1", "a b"]),
    ("\\S*", ["", "ab"], ["a b"]), ("(a{2}){3}", ["aaaaaa"], ["aaaaa"]), ("(a*)*", ["", "aaa"], ["b"]),
  ])
  func `a text matches as a whole`(text: String, matching: [String], others: [String]) throws {
    let pattern = try Pattern(text)
    for example in matching { #expect(pattern.matches(example), "\(text) should match \(example)") }
    for example in others { #expect(!pattern.matches(example), "\(text) should not match \(example)") }
  }

  @Test(arguments: [
    ("a)", 1), ("(a", 0), ("[a", 0), ("*a", 0), ("a**", 2), ("\\1", 0), ("(?=a)", 0), ("(?i)a", 0), ("a{2,1}", 1),
    ("a{1001}", 1),
    ("\\b", 0), ("a\\", 1), ("[z-a]", 2), ("é\\q", 2), ("[]", 0), ("\\xg1", 0), ("\\ud800", 0), ("a++", 2),
    ("[[:alpha:]]", 1),
  ])
  func `what is not supported is refused where it stands`(text: String, offset: Int) {
    let failure = #expect(throws: Pattern.Failure.self) { try Pattern(text) }
    #expect(failure?.offset == offset, "\(text): \(failure?.message ?? "")")
  }

  /// The classic killers of engines that backtrack, on texts that make them try everything.
  @Test(arguments: ["(a+)+b", "(a|aa)+b", "(a|a?)+b", "(.*)(.*)(.*)(.*)b", "(x+x+)+y"])
  func `no text takes more than linear time`(text: String) throws {
    let pattern = try Pattern(text)
    let long = [UInt8](repeating: UInt8(ascii: text.contains("x") ? "x" : "a"), count: 1_000_000)
    let isMatch = pattern.matches(long.span)
    #expect(!isMatch)
  }

  @Test(arguments: [
    ".*a.{30}", "((a{100}){100}){10}", String(repeating: "(", count: 70), String(repeating: "a", count: 5_000),
  ])
  func `patterns that would grow too large are refused`(text: String) {
    #expect(throws: Pattern.Failure.self) { try Pattern(text) }
  }

  /// Against a matcher that tries everything.
  @Test(arguments: 1...30 as ClosedRange<UInt64>) func `agrees with a naive matcher`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<40 {
      let node = NaivePattern.random(depth: 0, &random)
      let pattern = try Pattern(node.text)
      for _ in 0..<20 {
        let text = (0..<random.below(6)).map { _ in random.pick(["a", "b", "é"]) }.joined()
        let scalars = Array(text.unicodeScalars)
        #expect(
          pattern.matches(text) == node.ends(scalars, from: 0).contains(scalars.count),
          "seed \(seed): \(node.text) on \(text)")
      }
    }
  }
}

/// A pattern as sets of positions that it can end at.
indirect enum NaivePattern {
  case scalars(String, Set<Unicode.Scalar>)
  case sequence([NaivePattern])
  case choice([NaivePattern])
  case repetition(NaivePattern, Int, Int?)

  static func random(depth: Int, _ random: inout SplitMix64) -> Self {
    switch random.below(depth > 3 ? 2 : 6) {
    case 0: return .scalars("a", ["a"])
    case 1: return random.pick([.scalars("[ab]", ["a", "b"]), .scalars("é", ["é"]), .scalars("[^b]", ["a", "é"])])
    case 2, 3: return .sequence((0..<random.below(4)).map { _ in Self.random(depth: depth + 1, &random) })
    case 4: return .choice((0..<(1 + random.below(3))).map { _ in Self.random(depth: depth + 1, &random) })
    default:
      let minimum = random.below(3)
      return .repetition(
        Self.random(depth: depth + 1, &random), minimum, random.chance(2) ? nil : minimum + random.below(3))
    }
  }

  var text: String {
    switch self {
    case .scalars(let text, _): text
    case .sequence(let parts): "(" + parts.map(\.text).joined() + ")"
    case .choice(let parts): "(?:" + parts.map(\.text).joined(separator: "|") + ")"
    case .repetition(let part, let minimum, let maximum): "(\(part.text)){\(minimum),\(maximum.map { "\($0)" } ?? "")}"
    }
  }

  func ends(_ text: [Unicode.Scalar], from start: Int) -> Set<Int> {
    switch self {
    case .scalars(_, let allowed): return start < text.count && allowed.contains(text[start]) ? [start + 1] : []
    case .sequence(let parts):
      return parts.reduce([start]) { positions, part in Set(positions.flatMap { part.ends(text, from: $0) }) }
    case .choice(let parts): return Set(parts.flatMap { $0.ends(text, from: start) })
    case .repetition(let part, let minimum, let maximum):
      var (positions, found): (Set<Int>, Set<Int>) = ([start], minimum == 0 ? [start] : [])
      for round in 1...max(1, min(maximum ?? 20, 20)) where maximum != 0 {
        positions = Set(positions.flatMap { part.ends(text, from: $0) })
        if round >= minimum { found.formUnion(positions) }
      }
      return found
    }
  }
}
