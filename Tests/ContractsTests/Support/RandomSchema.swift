import Columns
import Core

/// A random type with everything that tests want to know of it; written down without the code under test.
indirect enum RandomType: Sendable {
  case null, boolean, int, long, float, double, bytes, string, millis, micros, date, uuid
  case decimal(precision: Int, scale: Int)
  case enumeration(name: String, symbols: [String])
  case fixed(name: String, size: Int)
  case array(RandomType)
  case map(RandomType)
  case record(name: String, fields: [(name: String, type: RandomType)])
  case nullable(RandomType)
  case union([RandomType])
}

/// A value of such a type.
indirect enum RandomValue {
  case null, boolean(Bool), long(Int64), double(Double), text(String), bytes([UInt8]), decimal(Int128)
  case array([RandomValue])
  case map([(String, RandomValue)])
  case record([RandomValue])
  case branch(Int, RandomValue)
}

struct RandomSchemas {
  var random: SplitMix64
  private var names = 0

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func name() -> String {
    names += 1
    return "n\(names)"
  }

  mutating func record(depth: Int = 0) -> RandomType {
    let own = name()
    let fields = (0..<(1 + random.below(depth == 0 ? 7 : 3))).map { _ in (name(), type(depth: depth + 1)) }
    return .record(name: own, fields: fields)
  }

  private mutating func scalar() -> RandomType {
    switch random.below(14) {
    case 0: return .boolean
    case 1, 2: return .int
    case 3: return .long
    case 4: return .float
    case 5: return .double
    case 6: return .bytes
    case 7: return .string
    case 8: return .millis
    case 9: return .micros
    case 10: return .date
    case 11: return .decimal(precision: 1 + random.below(38), scale: 0)
    case 12: return .enumeration(name: name(), symbols: ["A", "B", "LONG_SYMBOL"])
    default: return .fixed(name: name(), size: random.below(5))
    }
  }

  mutating func type(depth: Int) -> RandomType {
    guard depth < 4 else { return scalar() }
    switch random.below(12) {
    case 0: return .array(type(depth: depth + 1))
    case 1: return .map(type(depth: depth + 1))
    case 2: return record(depth: depth + 1)
    case 3, 4: return .nullable(random.chance(3) ? record(depth: depth + 1) : scalar())
    // Branches that JSON cannot mistake for each other.
    case 5: return .union([.null, .boolean, .long, .string, .array(.long)])
    case 6: return .uuid
    case 7:
      let precision = 1 + random.below(38)
      return .decimal(precision: precision, scale: random.below(precision + 1))
    default: return scalar()
    }
  }

  mutating func value(_ type: RandomType) -> RandomValue {
    switch type {
    case .null: return .null
    case .boolean: return .boolean(random.chance(2))
    case .int, .date: return .long(Int64(Int32(truncatingIfNeeded: random.next() >> UInt64(random.below(64)))))
    case .long: return .long(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
    case .millis, .micros:
      return .long(Int64.random(in: -9_000_000_000_000_000...9_000_000_000_000_000, using: &random))
    case .float:
      return .double(Double(Float(bitPattern: UInt32(random.below(0x7f7f_ffff)))) * (random.chance(2) ? 1 : -1))
    case .double:
      let value = Double(bitPattern: random.next())
      return .double(value.isFinite ? value : random.pick([0, -0.0, 1, 0.1, 1e22, .leastNonzeroMagnitude]))
    case .bytes: return .bytes((0..<random.below(6)).map { _ in UInt8(random.below(256)) })
    case .fixed(_, let size): return .bytes((0..<size).map { _ in UInt8(random.below(256)) })
    case .string:
      return .text(
        (0..<random.below(5)).map { _ in random.pick(["a", "é", "\"", "\\", "\n", "日", "😀", "/"]) }.joined())
    case .uuid:
      let digits = (0..<32).map { _ in random.pick(Array("0123456789abcdef")) }
      let parts = [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
      return .text(parts.map { String($0) }.joined(separator: "-"))
    case .decimal(let precision, _):
      var value: Int128 = 0
      for _ in 0..<(1 + random.below(precision)) { value = value * 10 + Int128(random.below(10)) }
      return .decimal(random.chance(2) ? value : -value)
    case .enumeration(_, let symbols): return .text(random.pick(symbols))
    case .array(let item): return .array((0..<random.below(4)).map { _ in value(item) })
    case .map(let item):
      return .map(random.pick([[], ["k"], ["b", "a"], ["é", "z", "\""]]).map { ($0, value(item)) })
    case .record(_, let fields): return .record(fields.map { value($0.type) })
    case .nullable(let inner): return random.chance(3) ? .branch(0, .null) : .branch(1, value(inner))
    case .union(let branches):
      let branch = random.below(branches.count)
      return .branch(branch, value(branches[branch]))
    }
  }
}

// MARK: Schema text

extension RandomType {
  var json: String {
    switch self {
    case .null: "\"null\""
    case .boolean: "\"boolean\""
    case .int: "\"int\""
    case .long: "\"long\""
    case .float: "\"float\""
    case .double: "\"double\""
    case .bytes: "\"bytes\""
    case .string: "\"string\""
    case .millis: #"{"type":"long","logicalType":"timestamp-millis"}"#
    case .micros: #"{"type":"long","logicalType":"timestamp-micros"}"#
    case .date: #"{"type":"int","logicalType":"date"}"#
    case .uuid: #"{"type":"string","logicalType":"uuid"}"#
    case .decimal(let precision, let scale):
      #"{"type":"bytes","logicalType":"decimal","precision":\#(precision),"scale":\#(scale)}"#
    case .enumeration(let name, let symbols): #"{"type":"enum","name":"\#(name)","symbols":\#(symbols)}"#
    case .fixed(let name, let size): #"{"type":"fixed","name":"\#(name)","size":\#(size)}"#
    case .array(let item): #"{"type":"array","items":\#(item.json)}"#
    case .map(let item): #"{"type":"map","values":\#(item.json)}"#
    case .record(let name, let fields):
      #"{"type":"record","name":"\#(name)","fields":["#
        + fields.map { #"{"name":"\#($0.name)","type":\#($0.type.json)}"# }.joined(separator: ",") + "]}"
    case .nullable(let inner): "[\"null\",\(inner.json)]"
    case .union(let branches): "[" + branches.map(\.json).joined(separator: ",") + "]"
    }
  }
}
