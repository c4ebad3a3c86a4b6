internal import Inference
package import Runtime
package import Topology

/// The models that inference requests are answered with.
package struct ServedModels: Sendable {
  /// A model's name with the versions that are served under it.
  package struct Family: Sendable {
    /// What the bare name stands for.
    package var current: ServedModel
    /// By what addresses may call them: numbers, and aliases beside them.
    package var versions: [String: ServedModel]
    /// The versions by their own names, in order.
    package var versionNames: [String]

    package init(current: ServedModel, versions: [String: ServedModel], versionNames: [String]) {
      self.current = current
      self.versions = versions
      self.versionNames = versionNames
    }
  }

  package static let none = ServedModels([:])

  package let families: [String: Family]

  package init(_ families: [String: Family]) { self.families = families }

  /// The models of a plan that run in the stream; each in the one version that runs.
  package init(_ plan: Plan, _ models: ModelSet) {
    let catalog = ServingCatalog(plan)
    var families: [String: Family] = [:]
    for (index, model) in plan.models.enumerated() {
      guard let version = models[index] else { continue }
      let served = ServedModel(
        name: model.name, version: version.contentHash, compiled: version.compiled,
        lookup: FeatureLookup(service: model.service, of: catalog),
        features: catalog.services[model.service].features.map { ($0.name, $0.defaultValue) })
      families[model.name] = Family(
        current: served, versions: [served.version: served], versionNames: [served.version])
    }
    self.init(families)
  }

  /// - Parameter version: nil for what the bare name stands for.
  /// - Throws: 404 for names and versions that are not served.
  func model(_ name: String, version: String?) throws(Problem) -> ServedModel {
    let family = try family(name)
    guard let version else { return family.current }
    guard let model = family.versions[version] else {
      let known = family.versionNames.suffix(8).joined(separator: ", ")
      throw Problem(
        404, "MODEL_VERSION_NOT_FOUND", "model `\(name)` has no version `\(version)` here, found \(known)")
    }
    return model
  }

  /// The model that a declared name stands for.
  ///
  /// - Throws: 503 while none of its versions is in force.
  func current(_ name: String) throws(Problem) -> ServedModel {
    guard let family = families[name] else {
      throw Problem(503, "MODEL_NOT_READY", "no version of model `\(name)` is in force yet")
    }
    return family.current
  }

  func family(_ name: String) throws(Problem) -> Family {
    guard let family = families[name] else { throw Problem(404, "MODEL_NOT_FOUND", "there is no model `\(name)`") }
    return family
  }
}
