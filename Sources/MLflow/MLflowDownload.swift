package import Core
internal import Topology

/// A model file out of MLflow's registry.
package struct MLflowDownload: Sendable {
  package var bytes: [UInt8]
  /// The version that the address stood for.
  package var address: MLflowModelAddress
  /// MLflow's run that made it; empty when none did.
  package var runID: String

  /// What can be read here, in the order in which it is preferred.
  private static let flavours = ["lightgbm", "xgboost", "onnx"]
  private static let descriptionBytesMax = 1 << 20

  /// Fetches the file behind an address: of the flavours lightgbm, xgboost and onnx.
  ///
  /// - Parameter read: of a folder in a store that is not MLflow's own, such as `s3://BUCKET/PREFIX`, the file of that
  ///   name; nil when there is none.
  /// - Throws: `MLFLOW_MODEL_NOT_FOUND`, `MLFLOW_FLAVOUR`, `MLFLOW_ARTEFACT`.
  package static func fetch(
    _ address: MLflowModelAddress, _ client: MLflowClient,
    read: @Sendable (_ folder: String, _ name: String) async throws(HeadraceError) -> [UInt8]?
  ) async throws(HeadraceError) -> MLflowDownload {
    let found =
      switch address.selector {
      case .alias(let alias):
        try await client.get("registered-models/alias", [("name", address.name), ("alias", alias)])
      case .version(let number):
        try await client.get("model-versions/get", [("name", address.name), ("version", "\(number)")])
      }
    guard let version = found?["model_version"], let number = version["version"]?.string.flatMap({ Int($0) }) else {
      throw HeadraceError(
        .user, "MLFLOW_MODEL_NOT_FOUND", "the server has no such version", place: "\(client.url) \(address)",
        remedy: "look at its registered models; an alias has to stand for a version")
    }
    let place = try await client.get(
      "model-versions/get-download-uri", [("name", address.name), ("version", "\(number)")])
    guard let folder = place?["artifact_uri"]?.string else {
      throw HeadraceError(.external, "MLFLOW_ARTEFACT", "the version has no files", place: "\(address)")
    }
    func file(_ name: String) async throws(HeadraceError) -> [UInt8] {
      let bytes =
        if let path = Self.servedPath(folder) {
          try await client.artefact("\(path)/\(name)")
        } else {
          try await read(folder, name)
        }
      if let bytes { return bytes }
      throw HeadraceError(
        .external, "MLFLOW_ARTEFACT", "the version has no file `\(name)`", place: "\(address): \(folder)",
        remedy: "a registered model of MLflow has a file MLmodel, which names the others")
    }
    let name = try fileName(try await file("MLmodel"), place: "\(address): MLmodel")
    return MLflowDownload(
      bytes: try await file(name), address: .init(name: address.name, version: number),
      runID: version["run_id"]?.string ?? "")
  }

  /// Below the root of the files that the server hands out itself; nil for other stores.
  static func servedPath(_ uri: String) -> String? {
    guard uri.hasPrefix("mlflow-artifacts:") else { return nil }
    var rest = uri.dropFirst("mlflow-artifacts:".count)
    // With an authority: //host:port/path.
    if rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
    return String(rest.drop { $0 == "/" })
  }

  /// Which of the model's files is the model, as `MLmodel` (YAML) says.
  static func fileName(_ description: [UInt8], place: String) throws(HeadraceError) -> String {
    guard description.count <= descriptionBytesMax else {
      throw HeadraceError(.external, "MLFLOW_ARTEFACT", "it has \(description.count) bytes", place: place)
    }
    let json = try YAMLDocument.json(String(decoding: description, as: UTF8.self), file: place)
    let document = try? JSONDocument(json, depthMax: 64)
    let found = document?["flavors"]
    for flavour in flavours {
      guard let name = found?[flavour]?["data"]?.string else { continue }
      guard !name.split(separator: "/").contains(".."), !name.hasPrefix("/"), !name.isEmpty else {
        throw HeadraceError(.external, "MLFLOW_ARTEFACT", "`\(name.prefix(80))` is no name of a file", place: place)
      }
      return name
    }
    var names: [String] = []
    if case .object(let members)? = found?.content { names = members.map(\.name) }
    throw HeadraceError(
      .user, "MLFLOW_FLAVOUR",
      "the model has the flavours \(names.prefix(8).joined(separator: ", ")), expected one of "
        + flavours.joined(separator: ", "),
      place: place, remedy: "log it with mlflow.lightgbm, mlflow.xgboost or mlflow.onnx")
  }
}

extension MLflowModelAddress {
  fileprivate init(name: String, version: Int) {
    self.name = name
    selector = .version(version)
  }
}
