internal import Core

/// Reads the keys of one mapping, says what is wrong with each, and at the end which keys nobody knows.
///
/// No method throws: a value that is wrong is reported and counts as absent, so that the rest is checked as well.
struct MappingReader {
  let log: DiagnosticLog
  /// What the mapping describes, for messages: ``source `departed` ``.
  let context: String
  let position: SourcePosition
  private let entries: [YAMLEntry]
  private var known: [String] = []

  /// - Returns: nil, and a diagnostic, when the value is no mapping.
  init?(_ node: YAMLNode, _ context: String, log: DiagnosticLog) {
    guard case .mapping(let entries) = node.content else {
      guard !node.isBroken else { return nil }
      log.error(
        at: node.position, length: node.shownLength, "\(context) must be a mapping", found: node.kindName,
        expected: "`key: value` lines")
      return nil
    }
    self.log = log
    self.context = context
    self.entries = entries
    position = node.position
  }

  /// The value of a key; nil when it is absent, or empty and not required.
  mutating func node(_ key: String, isRequired: Bool = false) -> YAMLNode? {
    known.append(key)
    guard let entry = entries.first(where: { $0.key.text == key }) else {
      if isRequired { log.error(at: position, "\(context) has no `\(key)`", remedy: "add `\(key): …`") }
      return nil
    }
    if case .scalar(let scalar) = entry.value.content, scalar.isNull {
      if isRequired, !entry.value.isBroken {
        log.error(at: entry.key.position, length: key.unicodeScalars.count, "`\(key)` of \(context) is empty")
      }
      return nil
    }
    return entry.value
  }

  /// Whether the key is there with a value, good or not.
  func has(_ key: String) -> Bool {
    entries.contains { entry in
      guard entry.key.text == key else { return false }
      if case .scalar(let scalar) = entry.value.content { return !scalar.isNull }
      return true
    }
  }

  func keyPosition(_ key: String) -> SourcePosition {
    entries.first { $0.key.text == key }?.key.position ?? position
  }

  mutating func text(_ key: String, isRequired: Bool = false) -> YAMLScalar? {
    node(key, isRequired: isRequired).flatMap { log.text($0, "`\(key)` of \(context)") }
  }

  /// One text, or a list of them.
  mutating func texts(_ key: String, isRequired: Bool = false) -> [YAMLScalar]? {
    node(key, isRequired: isRequired).flatMap { log.texts($0, "`\(key)` of \(context)") }
  }

  mutating func duration(_ key: String, isRequired: Bool = false) -> Located<Int64>? {
    node(key, isRequired: isRequired).flatMap { log.duration($0, "`\(key)` of \(context)") }
  }

  mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, of: Choice.Type
  ) -> Located<Choice>? where Choice.RawValue == String {
    guard let scalar = text(key) else { return nil }
    if let choice = Choice(rawValue: scalar.text) { return Located(choice, scalar) }
    let names = Choice.allCases.map(\.rawValue)
    log.error(
      at: scalar.position, length: scalar.shownLength, "`\(key)` of \(context) has an unknown value",
      found: "`\(scalar.shortText)`", expected: names.map { "`\($0)`" }.joined(separator: " or "),
      nearest: NearestName.of(scalar.text, in: names))
    return nil
  }

  /// The entries of a mapping below a key, in the order of the file.
  mutating func mapping(_ key: String, isRequired: Bool = false) -> [YAMLEntry] {
    guard let node = node(key, isRequired: isRequired) else { return [] }
    guard case .mapping(let entries) = node.content else {
      guard !node.isBroken else { return [] }
      log.error(
        at: node.position, length: node.shownLength, "`\(key)` of \(context) must be a mapping", found: node.kindName,
        expected: "`name: value` lines")
      return []
    }
    return entries
  }

  /// Reports the keys that were not asked for. Call it last.
  func finish() {
    for entry in entries where !known.contains(entry.key.text) {
      let nearest = NearestName.of(entry.key.text, in: known)
      log.error(
        at: entry.key.position, length: entry.key.shownLength, "\(context) has no key `\(entry.key.shortText)`",
        expected: nearest == nil ? "one of \(known.map { "`\($0)`" }.joined(separator: ", "))" : nil,
        nearest: nearest)
    }
  }
}

/// A value and where it was written.
struct Located<Value> {
  var value: Value
  var scalar: YAMLScalar

  init(_ value: Value, _ scalar: YAMLScalar) {
    self.value = value
    self.scalar = scalar
  }

  var position: SourcePosition { scalar.position }
}

extension Located: Sendable where Value: Sendable {}

extension DiagnosticLog {
  func error(
    at scalar: YAMLScalar, _ message: String, found: String? = nil, expected: String? = nil, nearest: String? = nil,
    remedy: String? = nil
  ) {
    error(
      at: scalar.position, length: scalar.shownLength, message, found: found, expected: expected, nearest: nearest,
      remedy: remedy)
  }

  /// A part of a text of the file.
  func error(
    in scalar: YAMLScalar, utf8Offset: Int, utf8Length: Int, _ message: String, found: String? = nil,
    expected: String? = nil, nearest: String? = nil, remedy: String? = nil
  ) {
    let start = scalar.position(utf8Offset: utf8Offset, in: source)
    let end = scalar.position(utf8Offset: utf8Offset + max(1, utf8Length), in: source)
    error(
      at: start, length: end.line == start.line ? max(1, end.column - start.column) : 1, message, found: found,
      expected: expected, nearest: nearest, remedy: remedy)
  }

  func text(_ node: YAMLNode, _ what: String) -> YAMLScalar? {
    if case .scalar(let scalar) = node.content, !scalar.isNull { return scalar }
    guard !node.isBroken else { return nil }
    error(at: node.position, length: node.shownLength, "\(what) must be a text", found: node.kindName)
    return nil
  }

  /// - Returns: nil when one of them is no text.
  func texts(_ node: YAMLNode, _ what: String) -> [YAMLScalar]? {
    switch node.content {
    case .scalar: return text(node, what).map { [$0] }
    case .sequence(let children):
      let texts = children.compactMap { text($0, "each of \(what)") }
      return texts.count == children.count ? texts : nil
    case .mapping:
      error(at: node.position, "\(what) must be a list", found: node.kindName, expected: "`[first, second]`")
      return nil
    }
  }

  func duration(_ node: YAMLNode, _ what: String) -> Located<Int64>? {
    guard let scalar = text(node, what) else { return nil }
    if let milliseconds = DurationLiteral.milliseconds(scalar.text), milliseconds > 0 || scalar.text == "0" {
      return Located(milliseconds, scalar)
    }
    error(
      at: scalar, "\(what) is no duration", found: "`\(scalar.shortText)`",
      expected: "a number with a unit: ms, s, m, h, d or w", remedy: "write `30m`, `24h` or `7d`")
    return nil
  }

  func number(_ node: YAMLNode, _ what: String) -> Located<Double>? {
    guard let scalar = text(node, what) else { return nil }
    if let number = Double(scalar.text), number.isFinite { return Located(number, scalar) }
    error(at: scalar, "\(what) is no number", found: "`\(scalar.shortText)`")
    return nil
  }

  /// A name that is safe in topics, metrics, column names and expressions.
  func isName(_ scalar: YAMLScalar, _ what: String) -> Bool {
    let isFine =
      scalar.text.utf8.count <= 100
      && scalar.text.utf8.enumerated().allSatisfy { index, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
        default: false
        }
      }
    if isFine, !scalar.text.isEmpty { return true }
    error(
      at: scalar, "`\(scalar.shortText)` cannot be the name of \(what)",
      expected: "at most 100 letters, digits and `_`, not starting with a digit")
    return false
  }
}
