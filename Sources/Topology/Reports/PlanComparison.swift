internal import Contracts
internal import Core
internal import Expressions

/// Goes through two plans by name.
struct PlanComparison {
  let old: Plan
  let new: Plan
  let retired: Set<String>
  private(set) var changes: [PlanDiff.Change] = []
  private(set) var building: [String] = []

  init(old: Plan, new: Plan, retired: Set<String>) {
    self.old = old
    self.new = new
    self.retired = retired
  }

  mutating func compare() {
    if old.name != new.name {
      add(
        .changed, "topology `\(old.name)`", .refused, "it is called `\(new.name)` now",
        "another name is another application with its own consumer group and state: run it beside this one")
    }
    compareSources()
    compareViews()
    compareOnDemand()
    compareServices()
    compareModels()
    compareTenants()
  }

  private mutating func add(
    _ kind: PlanDiff.Kind, _ subject: String, _ verdict: PlanDiff.Verdict, _ reason: String, _ remedy: String? = nil
  ) {
    changes.append(
      PlanDiff.Change(kind: kind, subject: subject, verdict: verdict, reason: reason, remedy: remedy))
  }

  private mutating func compareSources() {
    for source in new.sources {
      let subject = "source `\(source.name)`"
      guard let before = old.sources.first(where: { $0.name == source.name }) else {
        add(.added, subject, .safe, "reads \(source.topic)")
        continue
      }
      if !compareKeys(before, source, subject) { compareContents(before, source, subject) }
    }
    for source in old.sources where !new.sources.contains(where: { $0.name == source.name }) {
      add(.removed, "source `\(source.name)`", .safe, "\(source.topic) is no longer read; its committed offsets stay")
    }
  }

  /// State is kept by partition: where a key's records are must not change under it.
  private mutating func compareKeys(_ before: SourcePlan, _ after: SourcePlan, _ subject: String) -> Bool {
    guard before.topic == after.topic else { return false }
    let keys = [before, after].map { plan in plan.key.map { plan.scope[$0].name } ?? "none" }
    let partitioners = [before, after].map { $0.partitioner?.rawValue ?? "any" }
    var differences: [String] = []
    if keys[0] != keys[1] { differences.append("key \(keys[0]) → \(keys[1])") }
    if partitioners[0] != partitioners[1] { differences.append("partitioner \(partitioners[0]) → \(partitioners[1])") }
    guard !differences.isEmpty else { return false }
    add(
      .changed, subject, .refused,
      "\(differences.joined(separator: ", ")): the state of each task was built from records that were partitioned "
        + "the other way",
      """
      publish into a new topic with the new key, add a source and views for it beside these, move the services to them \
      in a new version, then remove these
      """)
    return true
  }

  private mutating func compareContents(_ before: SourcePlan, _ after: SourcePlan, _ subject: String) {
    if before.topic != after.topic {
      add(.changed, subject, .safe, "reads \(after.topic) instead of \(before.topic); its views build anew from there")
      return
    }
    let broken = Compatibility.backward.check(old: before.contract.schema, new: after.contract.schema)
    if let first = broken.first {
      add(
        .changed, subject, .refused,
        "the new schema cannot read the events that are in the log: \(first.path): \(first.message)"
          + (broken.count > 1 ? ", and \(broken.count - 1) more" : ""),
        "give new fields a default and keep the types of old ones, or use a new topic")
    } else if before.contract.fingerprint != after.contract.fingerprint {
      add(
        .changed, subject, .safe,
        "the contract changed; records are held to the new one from the switch on"
          + (after.isArchived ? ": those that broke the former one are in no archive" : ""))
    }
    if before.maxSkewMilliseconds != after.maxSkewMilliseconds {
      add(
        .changed, subject, .safe,
        "max_skew \(DurationLiteral.text(before.maxSkewMilliseconds)) → "
          + DurationLiteral.text(after.maxSkewMilliseconds)
      )
    }
    if before.fingerprint != after.fingerprint {
      add(
        .changed, subject, .safe,
        "what its records mean changed; the views below that depend on it build anew"
          + (lacksDuplicates(before, after)
            ? "; what was a duplicate by the former rules is in no archive: where only the archive reaches back, it is "
              + "missing"
            : ""))
    }
  }

  /// Whether a record that was dropped as a duplicate could count by the new rules: then an archive, which has no
  /// duplicates, is not the whole log.
  private func lacksDuplicates(_ before: SourcePlan, _ after: SourcePlan) -> Bool {
    guard after.isArchived, let dedupe = before.dedupe else { return false }
    let isDecidedAlike =
      after.dedupe?.withinMilliseconds == dedupe.withinMilliseconds
      && after.dedupe.map { after.scope[$0.column].name } == before.scope[dedupe.column].name
    // Without a filter the first of its id is applied whatever it is.
    return !isDecidedAlike || (after.filter != nil && after.filterText != before.filterText)
  }

  private mutating func compareViews() {
    for view in new.views {
      let subject = "view `\(view.name)`"
      guard let before = old.views.first(where: { $0.name == view.name }) else {
        if refuseRepartitioned(view, .added, subject) { continue }
        building.append(view.name)
        add(.added, subject, .builds, "builds from the log beside the others, then splices in")
        continue
      }
      if before.fingerprint != view.fingerprint {
        if refuseRepartitioned(view, .changed, subject) { continue }
        building.append(view.name)
        add(
          .changed, subject, .builds,
          "\(difference(before, view)): new state builds from the log; the view answers again when it is there")
      } else if before.ttlMilliseconds != view.ttlMilliseconds {
        add(.changed, subject, .safe, "ttl changed; it is applied when values are read")
      }
      compareHistory(before, view, subject)
    }
    for view in old.views where !new.views.contains(where: { $0.name == view.name }) {
      let users = old.services.filter { service in
        !retired.contains(service.name) && service.views.contains { old.views[$0].name == view.name }
      }
      if users.isEmpty {
        add(.removed, "view `\(view.name)`", .drops, "its state is dropped after the switch")
      } else {
        add(
          .removed, "view `\(view.name)`", .refused,
          "used by service \(users.map { "`\($0.name)`" }.joined(separator: ", "))",
          "keep it while the service is in use; when nobody asks for it any more: `--retire \(users[0].name)`")
      }
    }
  }

  /// The table of a view's history goes on with other features, but a column keeps its type.
  private mutating func compareHistory(_ before: ViewPlan, _ after: ViewPlan, _ subject: String) {
    if before.history != after.history {
      let reason =
        switch after.history {
        case .off: "its history ends: `\(after.historyTable)` keeps the rows that it has"
        case .updates, .tiles:
          "its history (\(after.history.rawValue)) goes to `\(after.historyTable)` from the switch on; its state stays"
        }
      add(.changed, subject, .safe, reason)
    }
    guard before.history != .off, after.history != .off else { return }
    for feature in after.features {
      guard let former = before.features.first(where: { $0.name == feature.name }), former.type != feature.type else {
        continue
      }
      add(
        .changed, subject, .refused,
        "`\(feature.name)` was a \(former.type.text) and is a \(feature.type.text): a column of "
          + "`\(after.historyTable)` keeps its type",
        "give the feature another name, or end the history first (`history: off`) and move the table away")
    }
  }

  /// The rows of a repartitioned view are made of what all tasks send as they commit, once: what is committed without
  /// it is not sent any more.
  private mutating func refuseRepartitioned(_ view: ViewPlan, _ kind: PlanDiff.Kind, _ subject: String) -> Bool {
    let topic = new.sources[view.source].topic
    guard view.isRepartitioned, old.sources.contains(where: { $0.topic == topic }) else { return false }
    add(
      kind, subject, .refused,
      "it is repartitioned, and the topology has read \(topic) without it: what is committed is not sent to its tasks "
        + "any more",
      "give the topology another name: it reads its topics from the beginning; move readers over when it has caught up"
        + ", then stop this one")
    return true
  }

  /// In words: which features came, went and changed.
  private func difference(_ before: ViewPlan, _ after: ViewPlan) -> String {
    let came = after.features.filter { feature in !before.features.contains { $0.name == feature.name } }
    let went = before.features.filter { feature in !after.features.contains { $0.name == feature.name } }
    let changed = after.features.filter { feature in
      before.features.contains { $0.name == feature.name && $0.fingerprint != feature.fingerprint }
    }
    var parts: [String] = []
    if !came.isEmpty { parts.append("adds \(PlanBuilder.list(came.map(\.name)))") }
    if !went.isEmpty { parts.append("removes \(PlanBuilder.list(went.map(\.name)))") }
    if !changed.isEmpty { parts.append("changes \(PlanBuilder.list(changed.map(\.name)))") }
    return parts.isEmpty ? "what it is made of changed" : parts.joined(separator: ", ")
  }

  private mutating func compareOnDemand() {
    for feature in new.onDemand {
      guard let before = old.onDemand.first(where: { $0.name == feature.name }) else {
        add(.added, "on-demand feature `\(feature.name)`", .safe, "computed when it is asked for")
        continue
      }
      if before.fingerprint != feature.fingerprint {
        add(.changed, "on-demand feature `\(feature.name)`", .safe, "it means something else from the switch on")
      }
    }
    for feature in old.onDemand where !new.onDemand.contains(where: { $0.name == feature.name }) {
      add(.removed, "on-demand feature `\(feature.name)`", .safe, "nothing is stored for it")
    }
  }

  private mutating func compareServices() {
    for service in new.services {
      let subject = "service `\(service.name)`"
      guard let before = old.services.first(where: { $0.name == service.name }) else {
        add(.added, subject, .safe, "\(service.features.count) features; they are frozen from now on")
        continue
      }
      guard before.fingerprint != service.fingerprint else { continue }
      let reason = difference(before, service)
      if retired.contains(service.name) {
        add(.changed, subject, .safe, "\(reason); it was declared unused")
      } else {
        let next = PlanBuilder.nextVersion(service.name)
        add(
          .changed, subject, .refused, "\(reason): models were trained on what it was",
          "make it a new service, such as `\(next)`, and keep this one as it is")
      }
    }
    for service in old.services where !new.services.contains(where: { $0.name == service.name }) {
      if retired.contains(service.name) {
        add(.removed, "service `\(service.name)`", .safe, "requests for it will be refused")
      } else {
        add(
          .removed, "service `\(service.name)`", .refused, "whoever asks for it would be refused",
          "keep it, or say that nobody uses it: `--retire \(service.name)`")
      }
    }
  }

  private func difference(_ before: ServicePlan, _ after: ServicePlan) -> String {
    let names = (before.features.map(\.reference), after.features.map(\.reference))
    let came = names.1.filter { !names.0.contains($0) }
    let went = names.0.filter { !names.1.contains($0) }
    if !went.isEmpty { return "it loses \(PlanBuilder.list(went))" }
    if !came.isEmpty { return "it gains \(PlanBuilder.list(came))" }
    if names.0 != names.1 { return "the order of its features changed" }
    for (old, new) in zip(before.features, after.features) {
      if old.type != new.type { return "`\(new.reference)` was a \(old.type.text) and is a \(new.type.text)" }
      if old.defaultValue != new.defaultValue { return "the default of `\(new.reference)` changed" }
    }
    let changed = zip(before.features, after.features).filter { meaning($0, old) != meaning($1, new) }
    return "\(PlanBuilder.list(changed.map(\.1.reference))) would mean something else"
  }

  private func meaning(_ feature: ServiceFeaturePlan, _ plan: Plan) -> Fingerprint? {
    switch feature.origin {
    case .feature(let reference): plan.views[reference.view].features[reference.feature].fingerprint
    case .onDemand(let index): plan.onDemand[index].fingerprint
    case .request: nil
    }
  }

  private mutating func compareModels() {
    let (before, after) = (old.modelTexts, new.modelTexts)
    for text in after where !before.contains(text) {
      let subject = String(text.prefix { $0 != ":" })
      let isChange = before.contains { $0.hasPrefix("\(subject):") }
      let runs = new.models.contains { $0.stream != nil && subject == "model \($0.name)" }
      add(
        isChange ? .changed : .added, quoted(subject), .safe,
        runs ? "predicts from the switch on, no state is rebuilt" : "declared, not run yet")
    }
    for text in before {
      let subject = String(text.prefix { $0 != ":" })
      if !after.contains(where: { $0.hasPrefix("\(subject):") }) {
        add(.removed, quoted(subject), .safe, "no longer declared")
      }
    }
  }

  private mutating func compareTenants() {
    let (before, after) = (old.tenantTexts, new.tenantTexts)
    func subject(_ text: String) -> String { String(text.prefix { $0 != ":" }) }
    for text in after where !before.contains(text) {
      add(.changed, subject(text), .safe, "\(text.dropFirst(subject(text).count + 2)) pays from the switch on")
    }
    for text in before where !after.contains(where: { subject($0) == subject(text) }) {
      add(.changed, subject(text), .safe, "it has no tenant of its own any more")
    }
  }

  /// `model late` → ``model `late` ``.
  private func quoted(_ subject: String) -> String {
    let words = subject.split(separator: " ")
    return words.count == 2 ? "\(words[0]) `\(words[1])`" : subject
  }
}
