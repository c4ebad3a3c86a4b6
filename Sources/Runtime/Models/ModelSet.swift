package import Inference

/// The versions that answer for the models of a plan: what requests are answered with.
package struct ModelSet: Sendable {
  /// A version that is in force.
  package struct Version: Sendable {
    /// SHA-256 of its file.
    package var contentHash: String
    /// In the registry; nil for a file of the topology's folder.
    package var number: Int?
    package var compiled: CompiledModel
  }

  /// By position in `Plan.models`; nil for one that does not run.
  package let versions: [Version?]

  package subscript(model: Int) -> Version? { model < versions.count ? versions[model] : nil }
}
