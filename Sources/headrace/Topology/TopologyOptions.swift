internal import ArgumentParser
internal import Core
internal import Topology

/// Where the schemas of a topology are: the same flag on every command that reads one.
struct TopologyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the contracts, <topic>.avsc. Default: schemas beside the topology's folder.", valueName: "folder"))
  var schemas: String?

  /// Reads and checks a topology. What is wrong is written to stderr, all of it.
  ///
  /// - Parameter frozenServices: what `view:*` stood for in the plan that runs.
  /// - Throws: `Ended` when there is no plan.
  func load(_ file: String, frozenServices: [String: [String]] = [:], showsWarnings: Bool = true) throws -> Plan {
    let text = try TextFile.read(file)
    let folder = folder(beside: file)
    let loaded = TopologyLoader.load(
      yaml: text, file: file, schemas: SchemaDirectory(folder: folder), frozenServices: frozenServices)
    switch loaded {
    case .success(let plan):
      let source = SourceText(file: file, text: text)
      for warning in plan.warnings where showsWarnings {
        StandardError.write(warning.rendered(in: source), terminator: "")
      }
      return plan
    case .failure(let errors):
      StandardError.write("\(errors)")
      let count = errors.diagnostics.filter { $0.severity == .error }.count
      StandardError.write("\(count) error\(count == 1 ? "" : "s") in \(file)")
      throw Ended(status: .failed)
    }
  }

  func folder(beside file: String) -> String { schemas ?? Self.schemasFolder(beside: file) }

  /// `schemas` beside the folder that the file is in: `topologies/flights.yaml` → `schemas`.
  static func schemasFolder(beside file: String) -> String {
    var parts = file.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    parts.removeLast()
    switch parts.last {
    case nil, ".", "..": parts.append("..")
    default: parts.removeLast()
    }
    return (parts + ["schemas"]).joined(separator: "/")
  }
}
