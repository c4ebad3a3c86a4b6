package import Core

/// Text → plan.
package enum TopologyLoader {
  /// Reads, checks and compiles a topology.
  ///
  /// - Parameters:
  ///   - yaml: the whole file.
  ///   - file: its name, for messages.
  ///   - schemas: where `<topic>.avsc` is found.
  ///   - frozenServices: what `view:*` stands for in services that were applied before (`Plan.document.frozenServices`
  ///     of the plan that runs).
  ///   - models: where the files of models are; nil: beside the topology.
  /// - Returns: the plan, with its warnings, or everything that is wrong.
  package static func load(
    yaml: String, file: String, schemas: SchemaDirectory, frozenServices: [String: [String]] = [:],
    models: ModelFiles? = nil
  ) -> Result<Plan, TopologyErrors> {
    let source = SourceText(file: file, text: yaml)
    let log = DiagnosticLog(source: source)
    var parser = YAMLParser(log: log)
    if let root = parser.parse(), let declaration = TopologyDeclaration(root, log: log) {
      let builder = PlanBuilder(
        declaration, log: log, schemas: schemas, frozenServices: frozenServices,
        modelFiles: models ?? ModelFiles(besideTopology: file))
      if let plan = builder.build() { return .success(plan) }
    }
    return .failure(TopologyErrors(source: source, diagnostics: log.sorted))
  }

  /// The same plan again, from what the control topic holds.
  package static func load(_ document: PlanDocument) -> Result<Plan, TopologyErrors> {
    load(
      yaml: document.topology, file: document.file, schemas: SchemaDirectory(texts: document.schemas),
      frozenServices: document.frozenServices, models: ModelFiles(recorded: document.models))
  }
}

/// Everything that is wrong with a topology, with the text that it is about.
package struct TopologyErrors: Error, Sendable, CustomStringConvertible {
  package var source: SourceText
  /// In the order of the file; warnings are among them.
  package var diagnostics: [Diagnostic]

  /// For a terminal: each with its line and a caret.
  package var description: String { diagnostics.map { $0.rendered(in: source) }.joined(separator: "\n") }

  /// In the shape of every other error: the first one, and how many more there are.
  package var headraceError: HeadraceError {
    let errors = diagnostics.filter { $0.severity == .error }
    let more = errors.count > 1 ? ", and \(errors.count - 1) more" : ""
    return HeadraceError(
      .user, "TOPOLOGY_INVALID", (errors.first?.message ?? "the topology is not valid") + more,
      place: errors.first.map { "\($0.file):\($0.line):\($0.column)" } ?? source.file,
      remedy: errors.first?.remedy ?? "`headrace plan` shows them all")
  }
}
