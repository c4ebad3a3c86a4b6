internal import ArgumentParser
internal import Contracts
internal import Core
internal import HTTPClient

/// Where the schema registry is: the same flag on every command that asks one.
struct SchemaRegistryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The registry of the schemas of avro-confluent topics. (HEADRACE_SCHEMA_REGISTRY, with ..._USER and "
        + "..._PASSWORD)", valueName: "url"))
  var schemaRegistry: String?

  var url: String? { schemaRegistry ?? Environment["SCHEMA_REGISTRY"] }

  /// nil: none is named.
  var client: SchemaRegistryClient? {
    guard let url else { return nil }
    var registry = SchemaRegistryConfiguration(url: url)
    if let user = Environment["SCHEMA_REGISTRY_USER"] {
      registry.credentials = HTTPCredentials(
        username: user, password: Environment["SCHEMA_REGISTRY_PASSWORD"] ?? "")
    }
    return SchemaRegistryClient(registry, http: WebClient())
  }
}
