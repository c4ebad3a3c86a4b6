internal import ArgumentParser
internal import Core
internal import Kafka
internal import MLflow
internal import Registry
internal import Storage

/// Model files that are fetched from an MLflow server.
enum MLflowSource {
  /// - Parameter file: what was given for a file.
  /// - Returns: nil when it is no address in MLflow.
  static func fetch(_ file: String, _ options: MLflowOptions) async throws -> MLflowDownload? {
    guard MLflowModelAddress.isMeant(by: file) else { return nil }
    guard let address = MLflowModelAddress(file) else {
      throw ValidationError("\(file): expected models:/NAME@ALIAS or models:/NAME/VERSION")
    }
    guard let configuration = try options.mirror() else {
      throw ValidationError("--mlflow URL is missing: the server that has \(file)")
    }
    let client = MLflowClient(configuration)
    let result: Result<MLflowDownload, HeadraceError>
    do throws(HeadraceError) {
      result = .success(
        try await MLflowDownload.fetch(address, client) { (folder, name) throws(HeadraceError) in
          try await read(folder, name)
        })
    } catch {
      result = .failure(error)
    }
    await client.close()
    return try result.get()
  }

  /// Of a store that MLflow does not hand out itself.
  private static func read(_ folder: String, _ name: String) async throws(HeadraceError) -> [UInt8]? {
    guard folder.hasPrefix("s3://") else {
      throw HeadraceError(
        .user, "MLFLOW_ARTEFACT", "the version's files are at an address that is not read from", place: folder,
        remedy: "start the tracking server with --serve-artifacts, or with an S3 bucket for its files")
    }
    do {
      return try await BlockingThread(name: "mlflow").run {
        try TableLocation.store(folder, dataDirectory: "")
          .read(try BlobName(name), bytesMax: MLflowClient.artefactBytesMax)
      }
    } catch let error as HeadraceError {
      throw error
    } catch {
      throw HeadraceError(.external, "MLFLOW_ARTEFACT", "\(error)", place: folder)
    }
  }
}

extension MLflowDownload {
  /// What the version of the registry says of its origin.
  var lineage: VersionLineage {
    VersionLineage(
      origin: TrainingOrigin(codeRevision: runID.isEmpty ? "" : "mlflow run \(runID)"),
      fetchedFrom: address.description)
  }
}
