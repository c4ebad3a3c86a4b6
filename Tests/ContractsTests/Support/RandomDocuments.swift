import Core

/// Documents of every shape, with few names so that wanted fields, duplicates and near misses are common.
struct RandomDocuments {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A valid document, or in half of the cases one that was damaged; never with a line feed between quotes unless
  /// damaged so.
  mutating func document() -> [UInt8] {
    var bytes = Array(white().utf8) + Array(value(depth: 0).utf8) + Array(white().utf8)
    if random.chance(2) { damage(&bytes) }
    return bytes
  }

  private mutating func white() -> String {
    random.chance(3) ? (0..<random.below(3)).map { _ in random.pick([" ", "\t", "\r", "\n"]) }.joined() : ""
  }

  private mutating func value(depth: Int) -> String {
    switch random.below(depth > 4 ? 6 : 11) {
    case 0: return random.pick(["null", "true", "false"])
    case 1, 2: return random.pick(["0", "-0", "17", "-3", "123456789012345678901234567890", "9223372036854775807"])
    case 3: return random.pick(["0.5", "-1.25e10", "1E-7", "2e+3", "0e0", "1357041720000.0"])
    case 4, 5: return string()
    case 6: return "[" + members(depth: depth) { $0.value(depth: depth + 1) } + "]"
    default: return "{" + members(depth: depth) { $0.member(depth: depth + 1) } + "}"
    }
  }

  private mutating func members(depth: Int, _ make: (inout Self) -> String) -> String {
    var text = white()
    for index in 0..<random.below(6) {
      if index > 0 { text += "," }
      text += white() + make(&self) + white()
    }
    return text
  }

  private mutating func member(depth: Int) -> String {
    let names = ["a", "b", "c", "abc", "long_field_name", "\\u0061", "a.b", "é", "e\u{301}", "", "ab", "\\u0062c"]
    return "\"" + random.pick(names) + "\"" + white() + ":" + white() + value(depth: depth)
  }

  private mutating func string() -> String {
    let parts = [
      "a", "carrier", " ", "é", "日本", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "\\ud83d",
      "\\udc00",
      "{", "}", ",", ":", "[", "]", "null", "\u{7f}", "\\ud83d\\u0041",
    ]
    return "\"" + (0..<random.below(8)).map { _ in random.pick(parts) }.joined() + "\""
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    let palette = Array("{}[]:,\"\\ tfn0-.eE1\u{1}\n'/".utf8) + [0xff, 0xc3, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x00]
    for _ in 0...random.below(3) {
      let at = random.below(bytes.count + 1)
      switch random.below(3) {
      case 0: bytes.insert(random.pick(palette), at: at)
      case 1 where at < bytes.count: bytes.remove(at: at)
      case 2 where at < bytes.count: bytes[at] = random.pick(palette)
      default: bytes = Array(bytes.prefix(at))
      }
    }
  }
}
