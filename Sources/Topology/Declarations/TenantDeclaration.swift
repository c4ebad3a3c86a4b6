/// `tenant: risk`, and of a source also `tenant: {by: merchant_id}`.
enum TenantDeclaration {
  case name(YAMLScalar)
  case field(YAMLScalar)

  /// - Returns: nil when nothing is said, or what is said is wrong.
  init?(ofSource reader: inout MappingReader, _ what: String, _ log: DiagnosticLog) {
    guard let node = reader.node("tenant") else { return nil }
    if case .mapping = node.content {
      guard var fields = MappingReader(node, "`tenant` of \(what)", log: log) else { return nil }
      let field = fields.text("by", isRequired: true)
      fields.finish()
      guard let field else { return nil }
      self = .field(field)
    } else {
      guard let name = log.text(node, "`tenant` of \(what)"), Self.isName(name, what, log) else { return nil }
      self = .name(name)
    }
  }

  /// A tenant's name alone.
  static func name(_ reader: inout MappingReader, _ what: String, _ log: DiagnosticLog) -> YAMLScalar? {
    if let node = reader.node("tenant"), case .mapping = node.content {
      log.error(
        at: node.position, length: node.shownLength, "`tenant` of \(what) must be a name", found: node.kindName,
        remedy: "only a source has events that tell: write `tenant: {by: FIELD}` there, and nothing here")
      return nil
    }
    return reader.text("tenant").flatMap { isName($0, what, log) ? $0 : nil }
  }

  /// It becomes a sub account, a label and the scope of budgets.
  private static func isName(_ scalar: YAMLScalar, _ what: String, _ log: DiagnosticLog) -> Bool {
    let isOne =
      !scalar.text.isEmpty && scalar.text.utf8.count <= 100
      && !scalar.text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
    if !isOne {
      log.error(at: scalar, "`tenant` of \(what) is no name", expected: "1 to 100 bytes without control characters")
    }
    return isOne
  }
}
