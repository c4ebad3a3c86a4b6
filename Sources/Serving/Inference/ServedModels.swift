package import Inference
package import Runtime
package import Topology

/// The models that inference requests are answered with.
package struct ServedModels: Sendable {
  package struct Entry: Sendable {
    package var name: String
    /// SHA-256 of the model's file.
    package var version: String
    package var compiled: CompiledModel

    package init(name: String, version: String, compiled: CompiledModel) {
      self.name = name
      self.version = version
      self.compiled = compiled
    }
  }

  package static let none = ServedModels([])

  let entries: [Entry]

  package init(_ entries: [Entry]) { self.entries = entries }

  /// The models of a plan that run in the stream.
  package init(_ plan: Plan, _ models: ModelSet) {
    entries = plan.models.enumerated().compactMap { index, model in
      models[index].map { Entry(name: model.name, version: $0.contentHash, compiled: $0.compiled) }
    }
  }

  /// - Throws: 404 for names and versions that are not served.
  func entry(_ name: String, version: String?) throws(Problem) -> Entry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw Problem(404, "MODEL_NOT_FOUND", "there is no model `\(name)`")
    }
    guard version == nil || version == entry.version else {
      throw Problem(404, "MODEL_VERSION_NOT_FOUND", "model `\(name)` is served as version \(entry.version) only")
    }
    return entry
  }
}
