internal import Yams

/// Text → tree, within bounds, with the place of every value.
///
/// Yams would expand aliases itself, hash what they expand to when it stands in a key, and stop at the first duplicate
/// key. So it never sees an alias: the `*` of everything that could be one is exchanged for a private character of the
/// same width (places stay right), and what comes back as a plain text that starts with it is an alias, resolved here
/// under a budget. A duplicate key is renamed in the same way and reported, and the parse goes on.
struct YAMLParser {
  /// Stands for `*` where an alias could begin.
  static let aliasMark: Unicode.Scalar = "\u{E000}"
  /// Stands for the first character of a key that comes again further down.
  static let duplicateMarks = 0xE001...0xE0FF as ClosedRange<UInt32>

  let log: DiagnosticLog
  let limits: YAMLLimits
  private var text: [Unicode.Scalar] = []
  private var renamed: [SourcePosition: Unicode.Scalar] = [:]

  init(log: DiagnosticLog, limits: YAMLLimits = YAMLLimits()) {
    self.log = log
    self.limits = limits
  }

  /// - Returns: nil when there is no tree to go on with; why is in the log.
  mutating func parse() -> YAMLNode? {
    let source = log.source.text
    guard source.utf8.count <= limits.bytesMax else {
      log.error(
        at: .start, "the file is too large", found: "\(source.utf8.count) bytes",
        expected: "at most \(limits.bytesMax) bytes", remedy: "split it into several topologies")
      return nil
    }
    text = Array(source.unicodeScalars)
    guard checkCharacters(), checkSize() else { return nil }
    maskAliases()
    return compose()
  }

  /// Private characters are ours while the file is read.
  private func checkCharacters() -> Bool {
    var position = SourcePosition.start
    for scalar in text {
      if scalar == Self.aliasMark || Self.duplicateMarks.contains(scalar.value) {
        log.error(at: position, "a character of Unicode's private use area is not allowed here")
        return false
      }
      position.column += 1
      if scalar == "\n" { position = SourcePosition(line: position.line + 1, column: 1) }
    }
    return true
  }

  /// Refuses early what cannot fit: Yams builds its tree before anybody can count it.
  private func checkSize() -> Bool {
    let separators = text.count { $0 == "," || $0 == "[" || $0 == "{" || $0 == "?" }
    let lines = text.count { $0 == "\n" }
    guard separators <= limits.nodesMax * 4, lines <= limits.nodesMax * 4 else {
      reportSize(at: .start)
      return false
    }
    return checkFlowDepth()
  }

  /// Brackets in texts count as well, which does no harm at these numbers.
  private func checkFlowDepth() -> Bool {
    var depth = 0
    var position = SourcePosition.start
    for scalar in text {
      if scalar == "[" || scalar == "{" { depth += 1 }
      if scalar == "]" || scalar == "}" { depth = max(0, depth - 1) }
      guard depth <= limits.depthMax * 4 else {
        reportDepth(at: position)
        return false
      }
      position.column += 1
      if scalar == "\n" { position = SourcePosition(line: position.line + 1, column: 1) }
    }
    return true
  }

  private mutating func maskAliases() {
    for index in text.indices where text[index] == "*" {
      let isAtStart = index == 0 || " \t\n\r,[{:-?".unicodeScalars.contains(text[index - 1])
      let next = index + 1 < text.count ? text[index + 1] : " "
      if isAtStart, next == "-" || next == "_" || next.properties.isAlphabetic || next.properties.numericType != nil {
        text[index] = Self.aliasMark
      }
    }
  }

  private mutating func compose() -> YAMLNode? {
    var nextMark = Self.duplicateMarks.lowerBound
    while true {
      do {
        var masked = String.UnicodeScalarView()
        masked.append(contentsOf: text)
        // The nodes hold their anchors weakly: the parser keeps them alive.
        let parser = try Parser(yaml: String(masked), encoding: .utf8)
        defer { withExtendedLifetime(parser) {} }
        guard let root = try parser.singleRoot() else { return reportEmpty() }
        var tree = YAMLTreeBuilder(log: log, limits: limits, renamed: renamed)
        return tree.build(root)
      } catch YamlError.duplicatedKeysInMapping(_, let context) {
        let position = SourcePosition(line: context.mark.line, column: context.mark.column)
        guard Self.duplicateMarks.contains(nextMark), let mark = Unicode.Scalar(nextMark),
          rename(keyAt: position, to: mark)
        else {
          log.error(at: position, "a key comes twice in this mapping", remedy: "remove one of them")
          return nil
        }
        nextMark += 1
      } catch let error as YamlError {
        report(error)
        return nil
      } catch {
        log.error(at: .start, "the file is not YAML", found: "\(error)")
        return nil
      }
    }
  }

  /// Makes the first of two equal keys another one, without moving anything.
  private mutating func rename(keyAt position: SourcePosition, to mark: Unicode.Scalar) -> Bool {
    var index = 0
    var line = 1
    while line < position.line, index < text.count {
      if text[index] == "\n" || (text[index] == "\r" && !(index + 1 < text.count && text[index + 1] == "\n")) {
        line += 1
      }
      index += 1
    }
    index += position.column - 1
    guard index < text.count else { return false }
    if text[index] == "\"" || text[index] == "'" { index += 1 }
    guard index < text.count, text[index].properties.isAlphabetic || text[index] == "_" || text[index] == "<" else {
      return false
    }
    renamed[position] = text[index]
    text[index] = mark
    return true
  }

  private func reportEmpty() -> YAMLNode? {
    log.error(
      at: .start, "the file is empty", expected: "a mapping with `topology`, `sources`, `entities` and `views`")
    return nil
  }

  private func reportSize(at position: SourcePosition) {
    log.error(
      at: position, "the file has too many values", expected: "at most \(limits.nodesMax), aliases expanded",
      remedy: "split it into several topologies")
  }

  private func reportDepth(at position: SourcePosition) {
    log.error(at: position, "values are nested too deeply", expected: "at most \(limits.depthMax) levels")
  }

  private func report(_ error: YamlError) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let position = SourcePosition(line: mark.line, column: mark.column)
      let remedy =
        problem.contains("mapping values are not allowed")
        ? "put a text that has `: ` in it, or starts with a special character, into quotes"
        : problem.contains("tab") ? "indent with spaces" : nil
      log.error(
        at: position, "this is not YAML: \(problem)",
        found: context.map { "\($0.text) at line \($0.mark.line)" }, remedy: remedy)
    case .reader(let problem, _, _, _):
      log.error(at: .start, "this is not YAML: \(problem)", remedy: "save the file as UTF-8 without control characters")
    default:
      log.error(at: .start, "this is not YAML", found: "\(error)")
    }
  }
}
