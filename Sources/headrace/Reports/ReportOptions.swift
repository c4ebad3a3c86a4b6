internal import ArgumentParser
internal import Core
internal import Lineage
internal import MLflow

/// Who else is told of the work: the same flags on every command that does it.
struct ReportOptions: ParsableArguments {
  @OptionGroup var mlflow: MLflowOptions
  @OptionGroup var lineage: LineageOptions
}

/// An MLflow server beside the registry: the same flag on every command that keeps or asks one.
struct MLflowOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "An MLflow server: it mirrors the registry, and its models can be taken. (HEADRACE_MLFLOW_TRACKING_URI, with "
        + "MLFLOW_TRACKING_TOKEN, or ..._USERNAME and ..._PASSWORD)", valueName: "url"))
  var mlflow: String?

  func validate() throws { _ = try mirror() }

  /// nil: nobody asked for one.
  func mirror() throws -> MLflowConfiguration? {
    guard let url = mlflow ?? Environment["MLFLOW_TRACKING_URI"] else { return nil }
    return try MLflowConfiguration(url: url, environment: Environment.all)
  }
}

/// Where lineage events go: the same flags on every command that makes data.
struct LineageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Append lineage events to this file, one JSON object on a line. (HEADRACE_OPENLINEAGE_FILE; over HTTP: "
        + "OPENLINEAGE_URL, ..._ENDPOINT, ..._API_KEY, ..._NAMESPACE)", valueName: "file"))
  var openlineageFile: String?

  var configuration: LineageConfiguration {
    LineageConfiguration(environment: Environment.all, file: openlineageFile)
  }
}
