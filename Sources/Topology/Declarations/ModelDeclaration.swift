internal import Inference

/// `models: name: {…}`.
struct ModelDeclaration {
  /// `label: {source: arrived, match: flight_id, value: arr_delay > 15, within: 24h}`.
  struct Label {
    var source: YAMLScalar
    var match: YAMLScalar
    var value: YAMLScalar
    var within: Located<Int64>
  }

  /// `shadow: fraud@challenger`, or `{use: fraud@challenger, output: fraud.shadow}`.
  struct Shadow {
    var use: YAMLScalar
    var output: YAMLScalar?
  }

  /// `requests: {topic: fraud.requests, responses: fraud.responses, reply_topics: [team.answers], within: 30s}`.
  struct Requests {
    var topic: YAMLScalar
    var responses: YAMLScalar?
    var replyTopics: [YAMLScalar]
    var within: Located<Int64>?
  }

  var name: YAMLScalar
  var about: About
  var tenant: YAMLScalar?
  var service: YAMLScalar?
  var each: YAMLScalar?
  var output: YAMLScalar?
  /// A file, relative to the topology's folder.
  var file: YAMLScalar?
  var threshold: Located<Double>?
  var format: Located<PredictionFormat>?
  var features: Located<PredictionFeatures>?
  var use: YAMLScalar?
  /// An endpoint.
  var remote: RemoteModelDeclaration?
  var shadow: Shadow?
  /// What takes the place of an arm that fails, in this order.
  var fallback: [YAMLScalar]
  /// For one batch of a local version.
  var timeout: Located<Int64>?
  /// Rows of one batch of a local version.
  var maxBatch: Located<Int>?
  /// Of the dense layers of local versions.
  var weights: Located<CompileOptions.Weights>?
  var requests: Requests?
  var label: Label?
  /// Whether predictions and labels go into tables.
  var archive: Located<Archiving>?

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "model `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a model"), var reader = MappingReader(entry.value, what, log: log) else { return nil }
    name = entry.key
    about = About(&reader)
    tenant = TenantDeclaration.name(&reader, what, log)
    service = reader.text("service", isRequired: true)
    each = reader.text("each", isRequired: true)
    output = reader.text("output", isRequired: true)
    file = reader.text("file")
    threshold = reader.node("threshold").flatMap { log.number($0, "`threshold` of \(what)") }
    format = reader.choice("format", of: PredictionFormat.self)
    features = reader.choice("features", of: PredictionFeatures.self)
    use = reader.text("use")
    let remoteNode = reader.node("remote")
    remote = remoteNode.flatMap { RemoteModelDeclaration($0, model: entry.key.text, what, log: log) }
    shadow = reader.node("shadow").flatMap { Self.shadow($0, what, log) }
    fallback = reader.texts("fallback") ?? []
    timeout = reader.duration("timeout")
    maxBatch = reader.text("max_batch").flatMap { Self.maxBatch($0, what, log) }
    weights = reader.choice("weights", of: CompileOptions.Weights.self)
    requests = reader.node("requests").flatMap { Self.requests($0, what, log) }
    label = reader.node("label").flatMap { Self.label($0, what, log) }
    archive = reader.choice("archive", of: Archiving.self)
    reader.finish()
    let origins = [file.map { _ in "`file`" }, use.map { _ in "`use`" }, remoteNode.map { _ in "`remote`" }]
    let found = origins.compactMap(\.self)
    if found.count != 1 {
      log.error(
        at: name, "\(what) needs one of `file`, `use` and `remote`",
        found: found.isEmpty ? "none" : found.joined(separator: " and "),
        remedy: "write `file: models/\(name.text).txt`, or `use: \(name.text)@champion`")
    }
  }

  private static func maxBatch(_ scalar: YAMLScalar, _ what: String, _ log: DiagnosticLog) -> Located<Int>? {
    if let rows = Int(scalar.text), (1...65_536).contains(rows) { return Located(rows, scalar) }
    log.error(
      at: scalar, "`max_batch` of \(what) is out of range", found: "`\(scalar.shortText)`", expected: "1 to 65536")
    return nil
  }

  private static func shadow(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Shadow? {
    if case .scalar(let use) = node.content { return Shadow(use: use, output: nil) }
    guard var reader = MappingReader(node, "`shadow` of \(what)", log: log) else { return nil }
    let use = reader.text("use", isRequired: true)
    let output = reader.text("output")
    reader.finish()
    return use.map { Shadow(use: $0, output: output) }
  }

  private static func requests(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Requests? {
    guard var reader = MappingReader(node, "`requests` of \(what)", log: log) else { return nil }
    let topic = reader.text("topic", isRequired: true)
    let responses = reader.text("responses")
    let replyTopics = reader.texts("reply_topics") ?? []
    let within = reader.duration("within")
    reader.finish()
    return topic.map { Requests(topic: $0, responses: responses, replyTopics: replyTopics, within: within) }
  }

  private static func label(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Label? {
    guard var reader = MappingReader(node, "`label` of \(what)", log: log) else { return nil }
    let source = reader.text("source", isRequired: true)
    let match = reader.text("match", isRequired: true)
    let value = reader.text("value", isRequired: true)
    let within = reader.duration("within", isRequired: true)
    reader.finish()
    guard let source, let match, let value, let within else { return nil }
    return Label(source: source, match: match, value: value, within: within)
  }
}

/// `monitors: name: {…}`.
struct MonitorDeclaration {
  /// `trailing 7 windows`, or `{dataset: late@3}`.
  enum Reference {
    case text(YAMLScalar)
    case dataset(YAMLScalar)
  }

  var name: YAMLScalar
  var about: About
  var model: YAMLScalar?
  var window: Located<Int64>?
  var tests: [(name: YAMLScalar, threshold: Located<Double>)]
  var performance: [(metric: YAMLScalar, bounds: MetricBounds)]
  var segments: [YAMLScalar]
  var reference: Reference?
  var falseDiscoveryRate: Located<Double>?
  var minimumRows: Located<Double>?
  var resolveAfter: Located<Double>?
  var knownChanges: [(from: YAMLScalar, to: YAMLScalar, about: YAMLScalar)] = []

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "monitor `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a monitor"), var reader = MappingReader(entry.value, what, log: log) else {
      return nil
    }
    name = entry.key
    about = About(&reader)
    model = reader.text("model", isRequired: true)
    window = reader.duration("window", isRequired: true)
    tests = reader.mapping("tests").compactMap { entry in
      log.number(entry.value, "the threshold of `\(entry.key.shortText)`").map { (entry.key, $0) }
    }
    performance = reader.mapping("performance").compactMap { entry in
      MetricBounds(entry.value, "`\(entry.key.shortText)` of \(what)", log: log).map { (entry.key, $0) }
    }
    segments = reader.texts("segments") ?? []
    reference = reader.node("reference").flatMap { Self.reference($0, what, log) }
    falseDiscoveryRate = reader.node("false_discovery_rate").flatMap {
      log.number($0, "`false_discovery_rate` of \(what)")
    }
    minimumRows = reader.node("minimum_rows").flatMap { log.number($0, "`minimum_rows` of \(what)") }
    resolveAfter = reader.node("resolve_after").flatMap { log.number($0, "`resolve_after` of \(what)") }
    knownChanges = reader.mapping("known_changes").compactMap { entry in
      guard var change = MappingReader(entry.value, "known change `\(entry.key.shortText)` of \(what)", log: log) else {
        return nil
      }
      let (from, to) = (change.text("from", isRequired: true), change.text("to", isRequired: true))
      change.finish()
      guard let from, let to else { return nil }
      return (from, to, entry.key)
    }
    reader.finish()
    if tests.isEmpty, performance.isEmpty {
      log.error(
        at: name, "\(what) watches nothing", remedy: "add `tests: {psi: 0.2}` or `performance: {auc: {min: 0.7}}`")
    }
  }
}

extension MonitorDeclaration {
  private static func reference(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Reference? {
    if case .scalar(let scalar) = node.content { return .text(scalar) }
    guard var reader = MappingReader(node, "`reference` of \(what)", log: log) else { return nil }
    let dataset = reader.text("dataset", isRequired: true)
    reader.finish()
    return dataset.map(Reference.dataset)
  }
}

/// `{min: 0.65}`, `{max: 12}`: what a figure of quality must keep to.
package struct MetricBounds: Sendable, Equatable {
  package var minimum: Double?
  package var maximum: Double?

  init?(_ node: YAMLNode, _ what: String, log: DiagnosticLog) {
    guard var reader = MappingReader(node, what, log: log) else { return nil }
    minimum = reader.node("min").flatMap { log.number($0, "`min` of \(what)") }?.value
    maximum = reader.node("max").flatMap { log.number($0, "`max` of \(what)") }?.value
    reader.finish()
    if let minimum, let maximum, minimum > maximum {
      log.error(at: node.position, "`min` of \(what) is above its `max`")
    }
    if minimum == nil, maximum == nil {
      log.error(at: node.position, "\(what) has no bound", expected: "`{min: …}`, `{max: …}` or both")
      return nil
    }
  }
}
