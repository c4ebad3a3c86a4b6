/// `entities: route: [origin, dest]`.
struct EntityDeclaration {
  var name: YAMLScalar
  /// Join keys: names of fields, or derived columns, of every source that has a view of this entity.
  var keys: [YAMLScalar]

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "entity `\(entry.key.shortText)`"
    guard log.isName(entry.key, "an entity"), let keys = log.texts(entry.value, what) else { return nil }
    name = entry.key
    self.keys = keys
    if keys.isEmpty {
      log.error(at: entry.value.position, "\(what) has no join key", remedy: "write `\(name.text): [\(name.text)]`")
    }
    for (index, key) in keys.enumerated() where keys[..<index].contains(where: { $0.text == key.text }) {
      log.error(at: key, "\(what) has the join key `\(key.shortText)` twice")
    }
  }
}

/// `views: name: {…}`.
struct ViewDeclaration {
  var name: YAMLScalar
  var about: About
  var tenant: YAMLScalar?
  var source: YAMLScalar?
  var entity: YAMLScalar?
  var filter: YAMLScalar?
  var lateness: Located<Int64>?
  var ttl: Located<Int64>?
  var history: Located<ViewHistory>?
  var features: [NamedText]

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "view `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a view"), var reader = MappingReader(entry.value, what, log: log) else { return nil }
    name = entry.key
    about = About(&reader)
    tenant = TenantDeclaration.name(&reader, what, log)
    source = reader.text("source", isRequired: true)
    entity = reader.text("entity", isRequired: true)
    filter = reader.text("filter")
    lateness = reader.duration("lateness")
    ttl = reader.duration("ttl")
    history = reader.choice("history", of: ViewHistory.self)
    features = reader.mapping("features", isRequired: true).compactMap { NamedText($0, "feature", log: log) }
    reader.finish()
  }
}

/// `request: {distance: integer}`: the type of a value that comes with a request.
struct RequestFieldDeclaration {
  var name: YAMLScalar
  var type: YAMLScalar

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    guard log.isName(entry.key, "a request field"),
      let type = log.text(entry.value, "the type of `\(entry.key.shortText)`")
    else { return nil }
    name = entry.key
    self.type = type
  }
}

/// `services: name: [features…]`, or `{features: […], defaults: {…}}`.
struct ServiceDeclaration {
  var name: YAMLScalar
  var about: About?
  var tenant: YAMLScalar?
  var features: [YAMLScalar]
  var defaults: [(feature: YAMLScalar, value: YAMLNode)]

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "service `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a service") else { return nil }
    name = entry.key
    if case .mapping = entry.value.content {
      guard var reader = MappingReader(entry.value, what, log: log) else { return nil }
      about = About(&reader)
      tenant = TenantDeclaration.name(&reader, what, log)
      let features = reader.texts("features", isRequired: true)
      defaults = reader.mapping("defaults").map { ($0.key, $0.value) }
      reader.finish()
      guard let features else { return nil }
      self.features = features
    } else {
      guard let features = log.texts(entry.value, what) else { return nil }
      self.features = features
      defaults = []
    }
    if features.isEmpty { log.error(at: name, "\(what) has no features") }
  }
}
