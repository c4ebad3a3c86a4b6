/// Where lineage events go, by the names of OpenLineage's own environment variables.
package struct LineageConfiguration: Sendable, Equatable {
  /// The whole address; nil: over HTTP nothing is sent.
  package var url: String?
  /// Sent as a bearer token.
  package var apiKey: String?
  /// A file that gets each event as a line; nil: none does.
  package var file: String?
  /// Of jobs.
  package var namespace = "default"
  package var queueCapacity = 1_024
  /// How often a stream says that it goes on.
  package var runningIntervalMilliseconds: Int64 = 60_000

  package init() {}

  /// - Parameters:
  ///   - environment: of the process.
  ///   - file: of a flag; it counts before `HEADRACE_OPENLINEAGE_FILE`.
  package init(environment: [String: String], file: String? = nil) {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.file = file ?? variable("HEADRACE_OPENLINEAGE_FILE")
    if let base = variable("OPENLINEAGE_URL") {
      let endpoint = variable("OPENLINEAGE_ENDPOINT") ?? "api/v1/lineage"
      url = Self.trimmed(base, "/", atEnd: true) + "/" + Self.trimmed(endpoint, "/", atEnd: false)
    }
    apiKey = variable("OPENLINEAGE_API_KEY")
    if let name = variable("OPENLINEAGE_NAMESPACE") { namespace = name }
    if variable("OPENLINEAGE_DISABLED")?.lowercased() == "true" { (url, self.file) = (nil, nil) }
  }

  /// Whether anybody wants to know.
  package var isOn: Bool { url != nil || file != nil }

  private static func trimmed(_ text: String, _ character: Character, atEnd: Bool) -> String {
    var rest = text[...]
    while atEnd ? rest.last == character : rest.first == character {
      rest = atEnd ? rest.dropLast() : rest.dropFirst()
    }
    return String(rest)
  }
}
