package import Core
internal import HTTPClient

/// Which MLflow server mirrors the registry, and how to prove oneself to it.
package struct MLflowConfiguration: Sendable {
  /// Without a slash at its end.
  package let url: String
  let credentials: HTTPCredentials?
  let token: String?

  /// - Parameters:
  ///   - url: of the tracking server: `http://127.0.0.1:5000`.
  ///   - environment: has `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, as for
  ///     MLflow's own clients.
  /// - Throws: `MLFLOW_URL_INVALID`.
  package init(url: String, environment: [String: String] = [:]) throws(HeadraceError) {
    guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
      throw HeadraceError(
        .user, "MLFLOW_URL_INVALID", "expected the address of a tracking server", place: url,
        remedy: "name it as http://HOST:PORT or https://HOST")
    }
    self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    token = environment["MLFLOW_TRACKING_TOKEN"]
    credentials = environment["MLFLOW_TRACKING_USERNAME"].map {
      HTTPCredentials(username: $0, password: environment["MLFLOW_TRACKING_PASSWORD"] ?? "")
    }
  }
}
