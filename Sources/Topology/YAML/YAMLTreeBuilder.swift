internal import Core
internal import Yams

/// Turns what Yams read into our tree: resolves aliases, counts nodes and levels, and finds the keys that come twice.
struct YAMLTreeBuilder {
  let log: DiagnosticLog
  let limits: YAMLLimits
  /// Keys that were renamed, with the character that they began with.
  let renamed: [SourcePosition: Unicode.Scalar]
  private var anchors: [String: YAMLNode] = [:]
  private var isSpent = false

  init(log: DiagnosticLog, limits: YAMLLimits, renamed: [SourcePosition: Unicode.Scalar]) {
    self.log = log
    self.limits = limits
    self.renamed = renamed
  }

  /// - Returns: nil when a bound was passed; the log says which.
  mutating func build(_ root: Node) -> YAMLNode? {
    let tree = convert(root, depth: 1)
    return isSpent ? nil : tree
  }

  private mutating func convert(_ node: Node, depth: Int) -> YAMLNode {
    let position = Self.position(node)
    guard !isSpent, depth <= limits.depthMax else {
      spend(at: position, "values are nested too deeply", expected: "at most \(limits.depthMax) levels")
      return empty(position)
    }
    switch node {
    case .scalar(let scalar): return convert(scalar, position: position)
    case .sequence(let sequence):
      var children: [YAMLNode] = []
      for child in sequence where !isSpent { children.append(convert(child, depth: depth + 1)) }
      return register(
        finished(.sequence(children), position, children.map { ($0.nodeCount, $0.depth) }), sequence.anchor)
    case .mapping(let mapping):
      let entries = convertEntries(mapping, depth: depth)
      let sizes = entries.map { ($0.value.nodeCount + 1, $0.value.depth) }
      return register(finished(.mapping(entries), position, sizes), mapping.anchor)
    case .alias: return empty(position)
    }
  }

  private mutating func convertEntries(_ mapping: Node.Mapping, depth: Int) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    var places: [String: SourcePosition] = [:]
    for (key, value) in mapping where !isSpent {
      let converted = convert(key, depth: depth + 1)
      let child = convert(value, depth: depth + 1)
      guard case .scalar(let name) = converted.content else {
        log.error(at: converted.position, "a key must be a text", found: converted.kindName)
        continue
      }
      guard name.text != "<<" || !name.isPlain else {
        log.error(
          at: name.position, length: 2, "merge keys are not supported",
          remedy: "write the keys out, or use an alias for the whole value")
        continue
      }
      if let first = places[name.text] {
        log.error(
          at: name.position, length: name.shownLength, "`\(name.shortText)` comes twice in this mapping",
          found: "the first one at line \(first.line)", remedy: "remove or rename one of them")
        continue
      }
      places[name.text] = name.position
      entries.append(YAMLEntry(key: name, value: child))
    }
    return entries
  }

  private mutating func convert(_ scalar: Node.Scalar, position: SourcePosition) -> YAMLNode {
    let isPlain = scalar.style == .plain
    if isPlain, scalar.string.unicodeScalars.first == YAMLParser.aliasMark {
      return expand(String(scalar.string.unicodeScalars.dropFirst()), at: position)
    }
    var text = scalar.string
    if let original = renamed[position] {
      var restored = text.unicodeScalars
      if let first = restored.indices.first { restored.replaceSubrange(first...first, with: [original]) }
      text = String(restored)
    }
    if text.unicodeScalars.contains(YAMLParser.aliasMark) {
      text = String(
        String.UnicodeScalarView(text.unicodeScalars.map { $0 == YAMLParser.aliasMark ? "*" : $0 }))
    }
    let value = YAMLScalar(text: text, isPlain: isPlain, position: position)
    return register(YAMLNode(content: .scalar(value), position: position, nodeCount: 1, depth: 1), scalar.anchor)
  }

  private mutating func expand(_ name: String, at position: SourcePosition) -> YAMLNode {
    guard let target = anchors[name] else {
      log.error(
        at: position, length: name.unicodeScalars.count + 1, "there is no anchor `&\(name)` above this alias",
        nearest: NearestName.of(name, in: anchors.keys.sorted()).map { "*\($0)" },
        remedy: "put a text that starts with `*` into quotes")
      return empty(position)
    }
    return target
  }

  private mutating func register(_ node: YAMLNode, _ anchor: Anchor?) -> YAMLNode {
    if let anchor, !isSpent { anchors[anchor.rawValue] = node }
    return node
  }

  /// Counts; both numbers stay small because every node that is finished was within the bounds.
  private mutating func finished(
    _ content: YAMLNode.Content, _ position: SourcePosition, _ children: [(nodeCount: Int, depth: Int)]
  ) -> YAMLNode {
    let nodeCount = children.reduce(1) { $0 + $1.nodeCount }
    let depth = 1 + (children.map(\.depth).max() ?? 0)
    if nodeCount > limits.nodesMax {
      spend(
        at: position, "the file has too many values", expected: "at most \(limits.nodesMax), aliases expanded",
        remedy: "split it into several topologies")
    } else if depth > limits.depthMax {
      spend(at: position, "values are nested too deeply", expected: "at most \(limits.depthMax) levels")
    }
    return isSpent
      ? empty(position) : YAMLNode(content: content, position: position, nodeCount: nodeCount, depth: depth)
  }

  private mutating func spend(at position: SourcePosition, _ message: String, expected: String, remedy: String? = nil) {
    if !isSpent { log.error(at: position, message, expected: expected, remedy: remedy) }
    isSpent = true
  }

  private func empty(_ position: SourcePosition) -> YAMLNode {
    let scalar = YAMLScalar(text: "", isPlain: true, position: position)
    return YAMLNode(content: .scalar(scalar), position: position, nodeCount: 1, depth: 1, isBroken: true)
  }

  private static func position(_ node: Node) -> SourcePosition {
    node.mark.map { SourcePosition(line: $0.line, column: $0.column) } ?? .start
  }
}
