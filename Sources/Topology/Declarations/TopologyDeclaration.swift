/// What a topology file says, before names are looked up: one value per section, each with its place.
struct TopologyDeclaration {
  var name: YAMLScalar
  var about: About
  var tenant: YAMLScalar?
  var sources: [SourceDeclaration]
  var entities: [EntityDeclaration]
  var views: [ViewDeclaration]
  var request: [RequestFieldDeclaration]
  var onDemand: [NamedText]
  var services: [ServiceDeclaration]
  var models: [ModelDeclaration]
  var monitors: [MonitorDeclaration]
  var policies: [PolicyDeclaration]

  /// - Returns: nil when the file is no mapping at all, or has no name.
  init?(_ root: YAMLNode, log: DiagnosticLog) {
    guard var reader = MappingReader(root, "the topology", log: log) else { return nil }
    let name = reader.text("topology", isRequired: true)
    about = About(&reader)
    tenant = TenantDeclaration.name(&reader, "the topology", log)
    sources = Self.declarations(&reader, "sources", isRequired: true) { SourceDeclaration($0, log: log) }
    entities = Self.declarations(&reader, "entities", isRequired: true) { EntityDeclaration($0, log: log) }
    views = Self.declarations(&reader, "views", isRequired: true) { ViewDeclaration($0, log: log) }
    request = Self.declarations(&reader, "request") { RequestFieldDeclaration($0, log: log) }
    onDemand = Self.declarations(&reader, "on_demand") { NamedText($0, "on-demand feature", log: log) }
    services = Self.declarations(&reader, "services") { ServiceDeclaration($0, log: log) }
    models = Self.declarations(&reader, "models") { ModelDeclaration($0, log: log) }
    monitors = Self.declarations(&reader, "monitors") { MonitorDeclaration($0, log: log) }
    policies = Self.declarations(&reader, "policies") { PolicyDeclaration($0, log: log) }
    reader.finish()
    guard let name else { return nil }
    self.name = name
    checkName(log)
  }

  private static func declarations<Declaration>(
    _ reader: inout MappingReader, _ key: String, isRequired: Bool = false, _ make: (YAMLEntry) -> Declaration?
  ) -> [Declaration] {
    reader.mapping(key, isRequired: isRequired).compactMap(make)
  }

  /// The name becomes a consumer group and the beginning of topic names.
  private func checkName(_ log: DiagnosticLog) {
    if !TopicName.isValid(name.text) || name.text.utf8.count > 100 || name.text.utf8.contains(UInt8(ascii: ".")) {
      log.error(
        at: name, "`\(name.shortText)` cannot be the name of a topology",
        expected: "at most 100 letters, digits, `_` and `-`: it begins the names of topics")
    }
  }
}

/// Who a thing belongs to and what it is for; nothing is computed from it.
package struct About: Sendable, Equatable {
  package var description: String?
  package var owner: String?
  package var tags: [String] = []

  /// Nothing is said.
  package init() {}

  init(_ reader: inout MappingReader) {
    description = reader.text("description")?.text
    owner = reader.text("owner")?.text
    tags = reader.texts("tags")?.map(\.text) ?? []
  }
}

/// `name: expression`.
struct NamedText {
  var name: YAMLScalar
  var text: YAMLScalar

  init?(_ entry: YAMLEntry, _ what: String, log: DiagnosticLog) {
    guard case .scalar(let text) = entry.value.content, !text.isNull else {
      let isWindow = DurationLiteral.milliseconds(entry.key.text) != nil
      if !entry.value.isBroken {
        log.error(
          at: entry.key, "\(what) `\(entry.key.shortText)` has no expression",
          found: entry.value.kindName,
          remedy: isWindow ? "put the text in front into quotes up to here: inside of `{…}` a comma ends a value" : nil)
      }
      return nil
    }
    guard log.isName(entry.key, what == "on-demand feature" ? "an \(what)" : "a \(what)") else { return nil }
    name = entry.key
    self.text = text
  }
}

/// Names of Kafka topics.
enum TopicName {
  /// As Kafka's `Topic.validate`.
  static func isValid(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 249
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
