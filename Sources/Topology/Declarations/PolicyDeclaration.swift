/// `policies: name: {…}`.
struct PolicyDeclaration {
  /// `auc: better than champion by 0.01`, or bounds.
  enum Gate {
    case betterThanChampion(margin: Double)
    case bounds(MetricBounds)
  }

  /// `slices: {by: [country], metric: auc, worse_by_at_most: 0.02, minimum_rows: 200}`.
  struct Slices {
    var columns: [YAMLScalar]
    var metric: YAMLScalar
    var worseByAtMost: Located<Double>?
    var minimumRows: Located<Double>?
  }

  /// `shadow: {for: 1h, events: 1000, gates: [disagreement<=0.1]}`; a canary has a share besides.
  struct Trial {
    var place: SourcePosition
    var share: YAMLScalar?
    var duration: Located<Int64>?
    var events: Located<Double>?
    var gates: [YAMLScalar]
  }

  /// `notify: {url: https://…, secret_env: NAME}`.
  struct Webhook {
    var url: YAMLScalar
    var secretVariable: YAMLScalar?
  }

  var name: YAMLScalar
  var about: About
  var model: YAMLScalar?
  /// One text with `or` between several, or a list.
  var when: [YAMLScalar]?
  var trainer: Located<Trainer>?
  var parameters: [(name: YAMLScalar, value: YAMLScalar)] = []
  var command: [String]?
  var orchestrator: OrchestratorDeclaration?
  var datasetWindow: Located<Int64>?
  var datasetSplit: YAMLScalar?
  var gates: [(metric: YAMLScalar, gate: Gate)] = []
  var slices: Slices?
  var shadow: Trial?
  var canary: Trial?
  var promote: Located<Promotion>?
  var approvalTimeout: Located<Int64>?
  var cooldown: Located<Int64>?
  var budgetTime: Located<Int64>?
  var runsPerWeek: Located<Double>?
  var minimumLabels: Located<Double>?
  var notify: [Webhook] = []

  init?(_ entry: YAMLEntry, log: DiagnosticLog) {
    let what = "policy `\(entry.key.shortText)`"
    guard log.isName(entry.key, "a policy"), var reader = MappingReader(entry.value, what, log: log) else {
      return nil
    }
    name = entry.key
    about = About(&reader)
    model = reader.text("model")
    when = reader.node("when", isRequired: true).flatMap { log.texts($0, "`when` of \(what)") }
    readWork(&reader, what, log)
    readDataset(&reader, what, log)
    for entry in reader.mapping("gate") { readGate(entry, what, log) }
    shadow = reader.node("shadow").flatMap { Self.trial($0, "`shadow` of \(what)", hasShare: false, log) }
    canary = reader.node("canary").flatMap { Self.trial($0, "`canary` of \(what)", hasShare: true, log) }
    promote = reader.choice("promote", of: Promotion.self)
    readGuards(&reader, what, log)
    reader.finish()
  }

  private mutating func readWork(_ reader: inout MappingReader, _ what: String, _ log: DiagnosticLog) {
    trainer = reader.choice("trainer", of: Trainer.self)
    parameters = reader.mapping("parameters").compactMap { entry in
      log.text(entry.value, "`\(entry.key.shortText)` in `parameters` of \(what)").map { (entry.key, $0) }
    }
    command = reader.texts("command")?.map(\.text)
    let outside = reader.node("orchestrator")
    orchestrator = outside.flatMap { OrchestratorDeclaration($0, what, log: log) }
    // A trainer that is not known was reported, and is none the less one.
    let found =
      (reader.has("trainer") ? ["`trainer`"] : []) + (command == nil ? [] : ["`command`"])
      + (outside == nil ? [] : ["`orchestrator`"])
    if found.count != 1 {
      log.error(
        at: name, "\(what) needs one of `trainer`, `command` and `orchestrator`",
        found: found.isEmpty ? "none" : found.joined(separator: " and "),
        remedy: "write `trainer: xgboost` or `command: [python3, train.py]`")
    }
    if let first = parameters.first, trainer == nil {
      log.error(at: first.name, "`parameters` of \(what) are for a `trainer`")
    }
  }

  private mutating func readDataset(_ reader: inout MappingReader, _ what: String, _ log: DiagnosticLog) {
    guard let node = reader.node("dataset", isRequired: true),
      var dataset = MappingReader(node, "`dataset` of \(what)", log: log)
    else { return }
    datasetWindow = dataset.duration("window", isRequired: true)
    datasetSplit = dataset.text("split")
    dataset.finish()
  }

  private mutating func readGate(_ entry: YAMLEntry, _ what: String, _ log: DiagnosticLog) {
    let place = "`\(entry.key.shortText)` in `gate` of \(what)"
    if entry.key.text == "slices" {
      slices = Self.slices(entry.value, place, log)
      return
    }
    guard case .scalar(let scalar) = entry.value.content else {
      if let bounds = MetricBounds(entry.value, place, log: log) { gates.append((entry.key, .bounds(bounds))) }
      return
    }
    let words = scalar.text.split(separator: " ").map(String.init)
    if words == ["better", "than", "champion"] { return gates.append((entry.key, .betterThanChampion(margin: 0))) }
    if words.count == 5, words[..<4] == ["better", "than", "champion", "by"], let margin = Double(words[4]),
      margin.isFinite, margin >= 0
    {
      return gates.append((entry.key, .betterThanChampion(margin: margin)))
    }
    log.error(
      at: scalar, "\(place) is no gate", found: "`\(scalar.shortText)`",
      expected: "`better than champion`, `better than champion by 0.01`, `{min: …}` or `{max: …}`")
  }

  private static func slices(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Slices? {
    guard var reader = MappingReader(node, what, log: log) else { return nil }
    let columns = reader.node("by", isRequired: true).flatMap { log.texts($0, "`by` of \(what)") }
    let metric = reader.text("metric", isRequired: true)
    let worse = reader.node("worse_by_at_most").flatMap { log.number($0, "`worse_by_at_most` of \(what)") }
    let rows = reader.node("minimum_rows").flatMap { log.number($0, "`minimum_rows` of \(what)") }
    reader.finish()
    guard let columns, let metric else { return nil }
    return Slices(columns: columns, metric: metric, worseByAtMost: worse, minimumRows: rows)
  }

  private static func trial(_ node: YAMLNode, _ what: String, hasShare: Bool, _ log: DiagnosticLog) -> Trial? {
    guard var reader = MappingReader(node, what, log: log) else { return nil }
    let trial = Trial(
      place: reader.position, share: hasShare ? reader.text("share", isRequired: true) : nil,
      duration: reader.duration("for"),
      events: reader.node("events").flatMap { log.number($0, "`events` of \(what)") },
      gates: reader.texts("gates") ?? [])
    reader.finish()
    if trial.duration == nil, trial.events == nil {
      log.error(
        at: reader.position, "\(what) has no end", expected: "`for: 1h`, `events: 1000` or both",
        remedy: "say how long, or over how many predictions")
    }
    return trial
  }

  private mutating func readGuards(_ reader: inout MappingReader, _ what: String, _ log: DiagnosticLog) {
    if let node = reader.node("approval"), var approval = MappingReader(node, "`approval` of \(what)", log: log) {
      approvalTimeout = approval.duration("timeout", isRequired: true)
      approval.finish()
    }
    cooldown = reader.duration("cooldown")
    if let node = reader.node("budget"), var budget = MappingReader(node, "`budget` of \(what)", log: log) {
      budgetTime = budget.duration("time")
      runsPerWeek = budget.node("runs_per_week").flatMap { log.number($0, "`runs_per_week` of \(what)") }
      budget.finish()
    }
    minimumLabels = reader.node("minimum_labels").flatMap { log.number($0, "`minimum_labels` of \(what)") }
    guard let node = reader.node("notify") else { return }
    let nodes: [YAMLNode] = if case .sequence(let children) = node.content { children } else { [node] }
    notify = nodes.compactMap { Self.webhook($0, "`notify` of \(what)", log) }
  }

  private static func webhook(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> Webhook? {
    if case .scalar(let url) = node.content { return Webhook(url: url, secretVariable: nil) }
    guard var reader = MappingReader(node, what, log: log) else { return nil }
    let url = reader.text("url", isRequired: true)
    let secret = reader.text("secret_env")
    reader.finish()
    return url.map { Webhook(url: $0, secretVariable: secret) }
  }
}

/// `orchestrator: {kind: airflow, url: https://…, target: train_fraud, token_env: AIRFLOW_TOKEN}`.
struct OrchestratorDeclaration {
  var kind: Located<OrchestratorPlan.Kind>?
  var url: YAMLScalar?
  var target: YAMLScalar?
  var namespace: YAMLScalar?
  var tokenVariable: YAMLScalar?
  var secretVariable: YAMLScalar?
  var timeout: Located<Int64>?

  init?(_ node: YAMLNode, _ policy: String, log: DiagnosticLog) {
    guard var reader = MappingReader(node, "`orchestrator` of \(policy)", log: log) else { return nil }
    kind = reader.choice("kind", of: OrchestratorPlan.Kind.self)
    if !reader.has("kind") { _ = reader.text("kind", isRequired: true) }
    url = reader.text("url", isRequired: true)
    target = reader.text("target")
    namespace = reader.text("namespace")
    tokenVariable = reader.text("token_env")
    secretVariable = reader.text("secret_env")
    timeout = reader.duration("timeout")
    reader.finish()
    if let kind, kind.value != .webhook, target == nil {
      log.error(
        at: kind.scalar, "`orchestrator` of \(policy) does not say what \(kind.value.rawValue) is to run",
        remedy: "add `target: …`: a DAG, a job, a deployment, a template, a pipeline, or owner/repository")
    }
  }
}
