package import Core
internal import Contracts

/// What a plan was made of, small enough for one record of the control topic: the topology's text, the schemas that it
/// names, and what was frozen. It rebuilds the same plan on every worker.
package struct PlanDocument: Sendable, Equatable {
  /// Of the JSON form. A reader refuses what is newer.
  package static let version = 1

  /// As the user named it; shown in messages.
  package var file: String
  package var topology: String
  /// Subject → text of its `.avsc`, by subject.
  package var schemas: [String: String]
  /// What `view:*` stood for in each service when it was first applied.
  package var frozenServices: [String: [String]]
  /// The files of models, by the model's name: their bytes stay where they are.
  package var models: [String: ModelFile]

  package init(
    file: String, topology: String, schemas: [String: String], frozenServices: [String: [String]] = [:],
    models: [String: ModelFile] = [:]
  ) {
    self.file = file
    self.topology = topology
    self.schemas = schemas
    self.frozenServices = frozenServices
    self.models = models
  }

  /// One JSON document; equal documents give equal bytes.
  package func encoded() -> [UInt8] {
    var json = JSONWriter()
    json.object {
      $0.member("version", Self.version)
      $0.member("file", file)
      $0.member("topology", topology)
      $0.array("schemas") {
        for subject in schemas.keys.sorted() { $0.strings([subject, schemas[subject] ?? ""]) }
      }
      $0.array("frozen_services") {
        for service in frozenServices.keys.sorted() { $0.strings([service] + (frozenServices[service] ?? [])) }
      }
      guard !models.isEmpty else { return }
      $0.array("models") {
        for (name, file) in models.sorted(by: { $0.key < $1.key }) {
          $0.strings(
            [name, file.path, file.contentHash, "\(file.featureCount)", "\(file.outputCount)", file.summary])
        }
      }
    }
    return json.bytes
  }

  /// - Throws: `PLAN_DOCUMENT_INVALID`, or `PLAN_DOCUMENT_NEWER` when a newer Headrace wrote it.
  package init(decoding json: [UInt8]) throws(HeadraceError) {
    let names = ["version", "file", "topology", "schemas", "frozen_services", "models"]
    var reader = try JSONFieldReader(fields: names.map { FieldPath(name: $0) })
    try reader.read(json.span, ends: [UInt32(clamping: json.count)])
    if let fault = reader.fault(document: 0) { throw .planDocument("it is not JSON: \(fault)") }
    let values = names.indices.map { reader.value(document: 0, field: $0) }
    let version = Int64(Self.text(values[0], json) ?? "")
    guard let version, values[0].kind == .integer else { throw .planDocument("it has no version") }
    guard version <= Self.version else { throw .planDocumentIsNewer(version) }
    guard let file = Self.text(values[1], json), let topology = Self.text(values[2], json) else {
      throw .planDocument("it has no topology")
    }
    self.file = file
    self.topology = topology
    schemas = [:]
    for pair in try Self.lists(values[3], json) where pair.count == 2 { schemas[pair[0]] = pair[1] }
    frozenServices = [:]
    for list in try Self.lists(values[4], json) { frozenServices[list.first ?? ""] = Array(list.dropFirst()) }
    models = [:]
    for list in try Self.lists(values[5], json) {
      guard list.count == 6, let features = Int(list[3]), let outputs = Int(list[4]) else {
        throw .planDocument("a model's file is not described as it should be")
      }
      models[list[0]] = ModelFile(
        path: list[1], contentHash: list[2], summary: list[5], featureCount: features, outputCount: outputs)
    }
  }

  private static func text(_ value: JSONValue, _ json: [UInt8]) -> String? {
    switch value.kind {
    case .string, .integer: return String(decoding: json[value.range], as: UTF8.self)
    case .escapedString:
      var text: [UInt8] = []
      JSONText.unescape(json.span.extracting(value.range), into: &text)
      return String(decoding: text, as: UTF8.self)
    default: return nil
    }
  }

  private static func lists(_ value: JSONValue, _ json: [UInt8]) throws(HeadraceError) -> [[String]] {
    if value.kind == .missing { return [] }
    guard value.kind == .array, let lists = JSONStringLists.read(Array(json[value.range])) else {
      throw .planDocument("its lists are not lists of texts")
    }
    return lists
  }
}

extension HeadraceError {
  fileprivate static func planDocument(_ why: String) -> HeadraceError {
    HeadraceError(
      .external, "PLAN_DOCUMENT_INVALID", "the stored plan cannot be read: \(why)",
      remedy: "apply the topology again with `headrace apply`")
  }

  fileprivate static func planDocumentIsNewer(_ version: Int64) -> HeadraceError {
    HeadraceError(
      .user, "PLAN_DOCUMENT_NEWER",
      "the stored plan has version \(version), this program reads up to \(PlanDocument.version)",
      remedy: "run the newer Headrace that wrote it")
  }
}
