package import Core

/// The way to a field in a JSON document: `carrier`, or `plane.seats` for a field of an object.
///
/// A dot that belongs to a name is written `\.`, a backslash `\\`.
package struct FieldPath: Hashable, Sendable, CustomStringConvertible {
  /// At least one name, outermost first.
  package let names: [String]

  package init(_ text: String) throws(HeadraceError) {
    var names: [String] = []
    var name = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        name.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "." {
        names.append(name)
        name = ""
      } else {
        name.append(character)
      }
    }
    names.append(name)
    guard !isEscaped, names.allSatisfy({ !$0.isEmpty }) else {
      throw HeadraceError(
        .user, "FIELD_PATH_INVALID", "'\(text)' is no field: it has an empty name or ends in a backslash",
        remedy: "write names separated by dots, such as plane.seats; a dot inside of a name is \\.")
    }
    self.names = names
  }

  /// A field of the document itself, whatever characters its name has.
  package init(name: String) { names = [name] }

  /// - Parameter names: outermost first; not empty, whatever characters they have.
  init(names: [String]) throws(HeadraceError) {
    guard !names.isEmpty else {
      throw HeadraceError(.internal, "FIELD_PATH_INVALID", "a path without a name")
    }
    self.names = names
  }

  package var description: String {
    names.map { name in
      name.reduce(into: "") { text, character in
        if character == "." || character == "\\" { text.append("\\") }
        text.append(character)
      }
    }.joined(separator: ".")
  }
}
