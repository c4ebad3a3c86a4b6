/// One thing that is wrong in a file of the user's, and how to mend it.
///
/// A topology is checked to its end: a person gets every diagnostic at once, in the order of the file.
package struct Diagnostic: Error, Hashable, Sendable {
  package enum Severity: String, Sendable {
    /// There is no plan while one of these is left.
    case error
    /// The plan runs; somebody should know.
    case warning
  }

  package var severity: Severity
  /// As the user gave it, or the name of a schema file.
  package var file: String
  /// From 1.
  package var line: Int
  /// From 1, in Unicode scalars, as editors count.
  package var column: Int
  /// How many scalars of the line are meant; at least 1.
  package var length: Int
  package var message: String
  package var found: String?
  package var expected: String?
  /// The valid name that comes closest to what was found.
  package var nearest: String?
  /// What to do, as an instruction.
  package var remedy: String?

  package init(
    _ severity: Severity = .error, file: String, line: Int, column: Int, length: Int = 1, message: String,
    found: String? = nil, expected: String? = nil, nearest: String? = nil, remedy: String? = nil
  ) {
    self.severity = severity
    self.file = file
    self.line = line
    self.column = column
    self.length = length
    self.message = message
    self.found = found
    self.expected = expected
    self.nearest = nearest
    self.remedy = remedy
  }

  /// The order in which a person reads them: by file, then from top to bottom.
  package static func isBefore(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
    (left.file, left.line, left.column, left.message) < (right.file, right.line, right.column, right.message)
  }
}

extension Diagnostic: CustomStringConvertible {
  /// One line, as compilers write it: `flights.yaml:12:7: error: …`.
  package var description: String {
    "\(file):\(line):\(column): \(severity.rawValue): \(message)" + clauses.map { "; \($0)" }.joined()
  }

  /// The message with the line that it is about and a caret below the place.
  ///
  ///     flights.yaml:12:24: error: `departed` has no field `dep_dela`
  ///        12 |       mean_delay: mean(dep_dela) over 1h
  ///           |                        ^^^^^^^^
  ///           = did you mean `dep_delay`?
  package func rendered(in source: SourceText?) -> String {
    var text = "\(file):\(line):\(column): \(severity.rawValue): \(message)\n"
    let number = String(line)
    let margin = String(repeating: " ", count: max(number.count, 4))
    if let source, source.file == file, let excerpt = source.excerpt(line: line, column: column, length: length) {
      text += "\(String(repeating: " ", count: margin.count - number.count))\(number) | \(excerpt.line)\n"
      text += "\(margin) | \(excerpt.caret)\n"
    }
    for clause in clauses { text += "\(margin) = \(clause)\n" }
    return text
  }

  private var clauses: [String] {
    var clauses: [String] = []
    if let found { clauses.append("found \(found)") }
    if let expected { clauses.append("expected \(expected)") }
    if let nearest { clauses.append("did you mean `\(nearest)`?") }
    if let remedy { clauses.append(remedy) }
    return clauses
  }
}
