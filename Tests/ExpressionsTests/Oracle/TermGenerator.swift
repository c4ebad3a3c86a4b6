import Columns
import Core

@testable import Expressions

/// Random expressions over the fields of a scope, of a type that is asked for.
struct TermGenerator {
  static let scope: [ExpressionField] = [
    .init(name: "i", type: .integer), .init(name: "view:n", type: .integer), .init(name: "x", type: .double),
    .init(name: "device.y", type: .double), .init(name: "b", type: .boolean), .init(name: "c", type: .boolean),
    .init(name: "s", type: .string), .init(name: "odd \"name\"", type: .string), .init(name: "t", type: .timestamp),
  ]

  var random: SplitMix64

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: elements.indices, using: &random)]
  }

  mutating func value(of type: ColumnType) -> Value {
    if Int.random(in: 0..<5, using: &random) == 0 { return .null }
    switch type {
    case .integer:
      return .integer(pick([0, 1, -1, 2, 7, .max, .min, .max - 1, 1 << 53 + 1, .random(in: -99...99, using: &random)]))
    case .double:
      return .double(
        pick([
          0, -0.0, 1, -2.5, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e300,
          .random(in: -9...9, using: &random),
        ]))
    case .boolean: return .boolean(Bool.random(using: &random))
    case .timestamp:
      return .timestamp(
        pick([0, -1, .max, .min, .random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &random)]))
    default: return .string(pick(["", "a", "ab", "Straße", "%", "ab%c", "a,b,,c", "ÀÉ", "日本"]))
    }
  }

  mutating func batch(rows: Int) -> (batch: ColumnBatch, rows: [[Value]]) {
    var batch = ColumnBatch(Self.scope.map(\.type))
    let values = (0..<rows).map { _ in Self.scope.map { value(of: $0.type) } }
    for row in values {
      for (index, value) in row.enumerated() { _ = batch.columns[index].append(value) }
    }
    batch.rowCount = rows
    return (batch, values)
  }

  mutating func term(_ type: ColumnType, depth: Int) -> Term {
    guard depth > 0, Int.random(in: 0..<8, using: &random) != 0 else { return leaf(type) }
    switch type {
    case .integer: return integer(depth - 1)
    case .double: return double(depth - 1)
    case .boolean: return boolean(depth - 1)
    default: return string(depth - 1)
    }
  }

  private mutating func leaf(_ type: ColumnType) -> Term {
    let fields = Self.scope.indices.filter { Self.scope[$0].type == type }
    if Bool.random(using: &random) {
      let index = pick(fields)
      let name = Self.scope[index].name
      let quoted = "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
      return Term(text: name.contains("\"") ? quoted : pick([name, quoted]), type: type) { $0[index] }
    }
    switch type {
    case .integer:
      let value: Int64 = pick([0, 1, -3, 10, .max, .min])
      return .literal("\(value)", type, .integer(value))
    case .double:
      let value = pick([0.5, 2.25, -1e10, 1e-3, 123.456])
      return .literal("\(value)", type, .double(value))
    case .boolean: return pick([.literal("true", type, .boolean(true)), .literal("False", type, .boolean(false))])
    default:
      return pick([
        .literal("'it''s'", type, .string("it's")), .literal("''", type, .string("")),
        .literal("'ab'", type, .string("ab")),
      ])
    }
  }

  private mutating func number(_ depth: Int) -> Term { term(pick([.integer, .double]), depth: depth) }

  /// Forms that every type has.
  private mutating func choice(_ type: ColumnType, _ depth: Int) -> Term {
    let (a, b) = (term(type, depth: depth), term(type, depth: depth))
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      return Term(text: "coalesce(\(a.text), \(b.text))", type: type) {
        a.value($0) == .null ? b.value($0) : a.value($0)
      }
    case 1:
      return Term(text: "nullif(\(a.text), \(b.text))", type: type) { row in
        let (x, y) = (a.value(row), b.value(row))
        return x != .null && y != .null && Meaning.order(x, y) == 0 ? .null : x
      }
    case 2:
      let condition = term(.boolean, depth: depth)
      return Term(text: "if(\(condition.text), \(a.text), \(b.text))", type: type) { row in
        condition.value(row) == .boolean(true) ? a.value(row) : b.value(row)
      }
    default:
      let (first, second) = (term(.boolean, depth: depth), term(.boolean, depth: depth))
      return Term(
        text: "case when \(first.text) then \(a.text) when \(second.text) then \(b.text) end", type: type
      ) { row in
        if first.value(row) == .boolean(true) { return a.value(row) }
        return second.value(row) == .boolean(true) ? b.value(row) : .null
      }
    }
  }

  private mutating func integer(_ depth: Int) -> Term {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return choice(.integer, depth)
    case 1:
      let text = term(.string, depth: depth)
      return Meaning.strict([text], .integer, "length(\(text.text))") { values in
        if case .string(let text) = values[0] { .integer(Int64(text.unicodeScalars.count)) } else { .null }
      }
    case 2:
      let a = term(.integer, depth: depth)
      return Meaning.strict([a], .integer, "-(\(a.text))") { Meaning.arithmetic("-", .integer(0), $0[0]) }
    default:
      let symbol = pick(["+", "-", "*", "//", "%"])
      let (a, b) = (term(.integer, depth: depth), term(.integer, depth: depth))
      return Meaning.strict([a, b], .integer, "(\(a.text) \(symbol) \(b.text))") {
        Meaning.arithmetic(symbol, $0[0], $0[1])
      }
    }
  }

  private mutating func double(_ depth: Int) -> Term {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return choice(.double, depth)
    case 1:
      let a = number(depth)
      return Meaning.strict([a], .double, "sqrt(\(a.text))") { Meaning.double(Meaning.asDouble($0[0]).squareRoot()) }
    case 2:
      let (a, b) = (term(.double, depth: depth), number(depth))
      return Meaning.strict([a, b], .double, "greatest(\(a.text), \(b.text))") { values in
        let converted = values.map { Meaning.convert($0, to: .double) }
        return Meaning.order(converted[1], converted[0]) >= 0 ? converted[1] : converted[0]
      }
    default:
      let symbol = pick(["+", "-", "*", "/", "%"])
      let (a, b) = (term(.double, depth: depth), number(depth))
      return Meaning.strict([a, b], .double, "(\(a.text) \(symbol) \(b.text))") {
        Meaning.arithmetic(symbol, Meaning.convert($0[0], to: .double), Meaning.convert($0[1], to: .double))
      }
    }
  }

  private mutating func boolean(_ depth: Int) -> Term {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return choice(.boolean, depth)
    case 1:
      let a = term(.boolean, depth: depth)
      return Term(text: "not (\(a.text))", type: .boolean) { Meaning.not(a.value($0)) }
    case 2, 3:
      let isAnd = Bool.random(using: &random)
      let (a, b) = (term(.boolean, depth: depth), term(.boolean, depth: depth))
      return Term(text: "((\(a.text)) \(isAnd ? "AND" : "or") (\(b.text)))", type: .boolean) { row in
        isAnd ? Meaning.and(a.value(row), b.value(row)) : Meaning.or(a.value(row), b.value(row))
      }
    case 4:
      let a = term(pick([.integer, .double, .string]), depth: depth)
      let isNegated = Bool.random(using: &random)
      return Term(text: "((\(a.text)) is \(isNegated ? "not " : "")null)", type: .boolean) { row in
        .boolean((a.value(row) == .null) != isNegated)
      }
    case 5: return membership(depth)
    default:
      let symbol = pick(["=", "!=", "<", "<=", ">", ">="])
      let type: ColumnType = pick([.integer, .double, .string, .boolean])
      let (a, b) = (term(type, depth: depth), type == .double ? number(depth) : term(type, depth: depth))
      return Meaning.strict([a, b], .boolean, "((\(a.text)) \(symbol) (\(b.text)))") {
        Meaning.compare(symbol, Meaning.convert($0[0], to: type), Meaning.convert($0[1], to: type))
      }
    }
  }

  private mutating func membership(_ depth: Int) -> Term {
    let type: ColumnType = pick([.integer, .double, .string])
    let a = term(type, depth: depth)
    var list = (0..<Int.random(in: 1...4, using: &random)).map { _ in term(type, depth: 0) }
    if Int.random(in: 0..<4, using: &random) == 0 { list.append(.literal("null", type, .null)) }
    let isNegated = Bool.random(using: &random)
    let text = "((\(a.text)) \(isNegated ? "not " : "")in (\(list.map(\.text).joined(separator: ", "))))"
    return Term(text: text, type: .boolean) { row in
      let value = a.value(row)
      var found = Value.boolean(false)
      for element in list {
        let other = element.value(row)
        found = Meaning.or(found, value == .null || other == .null ? .null : Meaning.compare("=", value, other))
      }
      return isNegated ? Meaning.not(found) : found
    }
  }

  private mutating func string(_ depth: Int) -> Term {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return choice(.string, depth)
    case 1:
      let a = term(.string, depth: depth)
      return Meaning.strict([a], .string, "upper(\(a.text))") { values in
        if case .string(let text) = values[0] { .string(text.uppercased()) } else { .null }
      }
    case 2:
      let (a, start, length) = (
        term(.string, depth: depth), Int64.random(in: -2...4, using: &random), Int64.random(in: 0...4, using: &random)
      )
      return Meaning.strict([a], .string, "substring(\(a.text), \(start), \(length))") { values in
        guard case .string(let text) = values[0] else { return .null }
        let kept = text.unicodeScalars.enumerated().filter { index, _ in
          let position = Int64(index) + 1
          return position >= start && position < start + length
        }
        return .string(String(String.UnicodeScalarView(kept.map(\.element))))
      }
    default:
      let (a, b) = (term(.string, depth: depth), term(.string, depth: depth))
      return Meaning.strict([a, b], .string, "(\(a.text) || \(b.text))") { values in
        guard case (.string(let a), .string(let b)) = (values[0], values[1]) else { return .null }
        return .string(a + b)
      }
    }
  }
}
