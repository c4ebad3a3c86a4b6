import Columns
import Contracts
import Core

extension RandomValue {
  /// Avro's binary form, by the book.
  func avro(_ type: RandomType, _ random: inout SplitMix64) -> [UInt8] {
    switch (type, self) {
    case (.null, _): return []
    case (_, .branch(let index, let inner)):
      return Self.varint(Int64(index)) + inner.avro(type.branch(index), &random)
    case (_, .boolean(let value)): return [value ? 1 : 0]
    case (_, .long(let value)): return Self.varint(value)
    case (.float, .double(let value)): return Self.littleEndian(UInt64(Float(value).bitPattern), 4)
    case (_, .double(let value)): return Self.littleEndian(value.bitPattern, 8)
    case (.enumeration(_, let symbols), .text(let text)): return Self.varint(Int64(symbols.firstIndex(of: text) ?? 0))
    case (_, .text(let text)): return Self.varint(Int64(text.utf8.count)) + Array(text.utf8)
    case (.fixed, .bytes(let bytes)): return bytes
    case (_, .bytes(let bytes)): return Self.varint(Int64(bytes.count)) + bytes
    case (_, .decimal(let value)):
      let bytes = Self.twosComplement(value, padding: random.below(3))
      return Self.varint(Int64(bytes.count)) + bytes
    case (.array(let item), .array(let values)):
      return Self.blocks(values.map { value in value.avro(item, &random) }, &random)
    case (.map(let item), .map(let entries)):
      return Self.blocks(
        entries.map { key, value in
          Self.varint(Int64(key.utf8.count)) + Array(key.utf8) + value.avro(item, &random)
        }, &random)
    case (.record(_, let fields), .record(let values)):
      return zip(fields, values).flatMap { field, value in value.avro(field.type, &random) }
    default: return []
    }
  }

  /// Cut into blocks anywhere, some with their sizes.
  private static func blocks(_ items: [[UInt8]], _ random: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = items[...]
    while !rest.isEmpty {
      let block = rest.prefix(1 + random.below(3))
      rest = rest.dropFirst(block.count)
      let content = Array(block.joined())
      bytes +=
        random.chance(2) ? varint(Int64(block.count)) : varint(Int64(-block.count)) + varint(Int64(content.count))
      bytes += content
    }
    return bytes + [0]
  }

  static func varint(_ value: Int64) -> [UInt8] {
    var rest = UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63)
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private static func twosComplement(_ value: Int128, padding: Int) -> [UInt8] {
    let all = (0..<16).map { UInt8(truncatingIfNeeded: value >> Int128(8 * (15 - $0))) }
    let sign: UInt8 = value < 0 ? 0xff : 0
    var start = 0
    while start < 15, all[start] == sign, all[start + 1] & 0x80 == sign & 0x80 { start += 1 }
    return [UInt8](repeating: sign, count: padding) + all[start...]
  }

  /// JSON as our producers write it; canonical when it is not `loose`.
  func json(_ type: RandomType, loose: Bool = false) -> String {
    let white = loose ? " " : ""
    switch (type, self) {
    case (_, .null): return "null"
    case (_, .branch(let index, let inner)): return inner.json(type.branch(index), loose: loose)
    case (_, .boolean(let value)): return "\(value)"
    case (_, .long(let value)): return "\(value)"
    case (_, .double(let value)): return "\(value)"
    case (_, .text(let text)): return Self.quoted(text)
    case (_, .bytes(let bytes)): return Self.quoted(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
    case (.decimal(_, let scale), .decimal(let value)):
      var digits = "\(value.magnitude)"
      while digits.count <= scale { digits = "0" + digits }
      let point = scale > 0 ? ".\(digits.suffix(scale))" : ""
      return (value < 0 ? "-" : "") + digits.dropLast(scale) + point
    case (.array(let item), .array(let values)):
      return "[\(white)" + values.map { $0.json(item, loose: loose) }.joined(separator: ",\(white)") + "]"
    case (.map(let item), .map(let entries)):
      let kept = loose ? entries : entries.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
      return "{" + kept.map { "\(Self.quoted($0))\(white):\($1.json(item, loose: loose))" }.joined(separator: ",") + "}"
    case (.record(_, let fields), .record(let values)):
      let members = zip(fields, values).map { "\(Self.quoted($0.name)):\(white)\($1.json($0.type, loose: loose))" }
      return "{" + (loose ? members.reversed() : members).joined(separator: ",\(white)") + "\(white)}"
    default: return "?"
    }
  }

  private static func quoted(_ text: String) -> String {
    var json: [UInt8] = []
    JSONText.appendString(text, to: &json)
    return String(decoding: json, as: UTF8.self)
  }

  /// The columns of a record, in order.
  func columns(_ type: RandomType) -> [Value] {
    switch (type, self) {
    case (.record(_, let fields), .record(let values)): return zip(fields, values).flatMap { $1.columns($0.type) }
    case (.nullable(.record(_, let fields)), .branch(0, _)):
      return fields.flatMap { RandomValue.branch(0, .null).columns(.nullable($0.type)) }
    case (.nullable(.nullable(let inner)), .branch(0, _)): return RandomValue.branch(0, .null).columns(.nullable(inner))
    case (.nullable(let inner), .branch(1, let value)): return value.columns(inner)
    case (_, .branch(_, .null)): return [.null]
    case (.union, _), (.array, _), (.map, _): return [.string(json(type))]
    case (.millis, .long(let value)): return [.timestamp(value * 1_000)]
    case (.micros, .long(let value)): return [.timestamp(value)]
    case (.date, .long(let value)): return [.date(value)]
    case (.decimal(_, let scale), .decimal(let value)): return [.decimal(unscaled: value, scale: scale)]
    case (_, .boolean(let value)): return [.boolean(value)]
    case (_, .long(let value)): return [.integer(value)]
    case (_, .double(let value)): return [.double(value)]
    case (_, .text(let text)): return [.string(text)]
    case (_, .bytes(let bytes)): return [.bytes(bytes)]
    default: return [.null]
    }
  }
}

extension RandomType {
  func branch(_ index: Int) -> RandomType {
    switch self {
    case .nullable(let inner): index == 0 ? .null : inner
    case .union(let branches): branches[index]
    default: self
    }
  }
}
