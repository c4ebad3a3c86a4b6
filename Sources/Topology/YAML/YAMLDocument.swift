package import Core

/// Other YAML files than topologies, as JSON: numbers, booleans and nothing where they are written without quotes,
/// texts everywhere else.
package enum YAMLDocument {
  /// - Throws: `YAML_INVALID` with file, line and column of the first thing that is wrong.
  package static func json(_ text: String, file: String) throws(HeadraceError) -> [UInt8] {
    let log = DiagnosticLog(source: SourceText(file: file, text: text))
    var parser = YAMLParser(log: log)
    guard let root = parser.parse(), !log.hasErrors else {
      let first = log.sorted.first
      throw HeadraceError(
        .user, "YAML_INVALID", first?.message ?? "it is not YAML",
        place: first.map { "\(file):\($0.line):\($0.column)" } ?? file, remedy: first?.remedy)
    }
    var writer = Core.JSONWriter()
    write(root, to: &writer)
    return writer.bytes
  }

  private static func write(_ node: YAMLNode, to writer: inout Core.JSONWriter) {
    switch node.content {
    case .sequence(let elements): writer.array { writer in for element in elements { write(element, to: &writer) } }
    case .mapping(let entries):
      writer.object { writer in
        for entry in entries {
          writer.key(entry.key.text)
          write(entry.value, to: &writer)
        }
      }
    case .scalar(let scalar): write(scalar, to: &writer)
    }
  }

  private static func write(_ scalar: YAMLScalar, to writer: inout Core.JSONWriter) {
    if scalar.isNull {
      writer.null()
    } else if scalar.isPlain, scalar.text == "true" || scalar.text == "false" {
      writer.boolean(scalar.text == "true")
    } else if scalar.isPlain, JSONNumber.isValid(Array(scalar.text.utf8).span) {
      writer.raw(scalar.text.utf8)
    } else {
      writer.string(scalar.text)
    }
  }
}
