/// Where traces go, by the names of OpenTelemetry's own environment variables.
package struct TelemetryConfiguration: Sendable, Equatable {
  /// The whole address, `/v1/traces` included; nil: nothing is traced.
  package var tracesURL: String?
  package var headers: [Header] = []
  package var serviceName = "headrace"
  /// `key=value` of the resource.
  package var resource: [Header] = []
  /// Of traces that begin here.
  package var sampleRatio = 1.0
  package var queueCapacity = 8_192
  package var exportIntervalMilliseconds: Int64 = 1_000
  package var exportCountMax = 512

  package struct Header: Sendable, Equatable {
    package var name: String
    package var value: String
  }

  package init() {}

  /// - Parameter environment: of the process.
  package init(environment: [String: String]) {
    if let url = environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], !url.isEmpty {
      tracesURL = url
    } else if let url = environment["OTEL_EXPORTER_OTLP_ENDPOINT"], !url.isEmpty {
      tracesURL = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/v1/traces"
    }
    if environment["OTEL_SDK_DISABLED"] == "true" || environment["OTEL_TRACES_EXPORTER"] == "none" { tracesURL = nil }
    headers = Self.list(
      environment["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? environment["OTEL_EXPORTER_OTLP_HEADERS"] ?? "")
    resource = Self.list(environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "")
    if let name = resource.first(where: { $0.name == "service.name" })?.value { serviceName = name }
    if let name = environment["OTEL_SERVICE_NAME"], !name.isEmpty { serviceName = name }
    resource.removeAll { $0.name == "service.name" }
    switch environment["OTEL_TRACES_SAMPLER"] {
    case "always_off", "parentbased_always_off": sampleRatio = 0
    case "traceidratio", "parentbased_traceidratio":
      sampleRatio = environment["OTEL_TRACES_SAMPLER_ARG"].flatMap { Double($0) } ?? 1
    default: break
    }
  }

  /// `name=value,name=value`
  private static func list(_ text: String) -> [Header] {
    text.split(separator: ",").compactMap { part in
      guard let equals = part.firstIndex(of: "=") else { return nil }
      let name = part[..<equals].filter { $0 != " " }
      return name.isEmpty ? nil : Header(name: String(name), value: String(part[part.index(after: equals)...]))
    }
  }
}
