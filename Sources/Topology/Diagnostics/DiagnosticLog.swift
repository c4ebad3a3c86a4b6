/// Collects what is wrong in one file; the readers and checks write into it and go on.
///
/// A class, because every reader of a nested value adds to the same list.
final class DiagnosticLog {
  /// More than a person reads; the rest is counted.
  static let errorsMax = 200

  let source: SourceText
  private(set) var diagnostics: [Diagnostic] = []
  private var seen: Set<Diagnostic> = []
  private var errorCount = 0

  init(source: SourceText) { self.source = source }

  var hasErrors: Bool { errorCount > 0 }

  /// All, in the order of the file.
  var sorted: [Diagnostic] {
    var all = diagnostics.sorted(by: Diagnostic.isBefore)
    if errorCount > Self.errorsMax, let last = all.last {
      all.append(
        Diagnostic(
          file: last.file, line: last.line, column: last.column,
          message: "\(errorCount - Self.errorsMax) more errors are not shown",
          remedy: "mend these first"))
    }
    return all
  }

  func add(_ diagnostic: Diagnostic) {
    // The same alias used twice would say the same twice.
    guard seen.insert(diagnostic).inserted else { return }
    if diagnostic.severity == .error { errorCount += 1 }
    if errorCount <= Self.errorsMax || diagnostic.severity == .warning { diagnostics.append(diagnostic) }
  }

  func error(
    at position: SourcePosition, length: Int = 1, _ message: String, found: String? = nil, expected: String? = nil,
    nearest: String? = nil, remedy: String? = nil
  ) {
    add(
      Diagnostic(
        file: source.file, line: position.line, column: position.column, length: length, message: message,
        found: found, expected: expected, nearest: nearest, remedy: remedy))
  }

  func warning(at position: SourcePosition, length: Int = 1, _ message: String, remedy: String? = nil) {
    add(
      Diagnostic(
        .warning, file: source.file, line: position.line, column: position.column, length: length, message: message,
        remedy: remedy))
  }
}

/// A place in a text: both from 1, the column in Unicode scalars.
package struct SourcePosition: Hashable, Sendable, Comparable {
  package var line: Int
  package var column: Int

  package static func < (left: Self, right: Self) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }

  static let start = SourcePosition(line: 1, column: 1)
}
