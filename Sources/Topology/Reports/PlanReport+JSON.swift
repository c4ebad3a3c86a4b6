internal import Columns
internal import Contracts
internal import Core
internal import Expressions
internal import Features
internal import Inference
internal import RemoteModels

extension PlanReport {
  /// One document; what depends on nothing but the plan is always in the same order.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object {
      $0.member("topology", plan.name)
      $0.member("fingerprint", plan.fingerprint.description)
      if let tenant = plan.tenant { $0.member("tenant", tenant) }
      writeTopics(&$0)
      $0.array("sources") { writer in plan.sources.forEach { write($0, &writer) } }
      $0.array("entities") { writer in
        for entity in plan.entities {
          writer.object {
            $0.member("name", entity.name)
            $0.member("keys", entity.keys)
            $0.member("types", entity.types.map(\.description))
          }
        }
      }
      $0.array("views") { writer in plan.views.forEach { write($0, &writer) } }
      $0.array("on_demand") { writer in
        for feature in plan.onDemand {
          writer.object {
            $0.member("name", feature.name)
            $0.member("type", feature.expression.type.description)
            $0.member("expression", feature.text)
            $0.member("inputs", feature.inputs.map(name))
            $0.member("fingerprint", feature.fingerprint.description)
          }
        }
      }
      $0.array("services") { writer in plan.services.forEach { write($0, &writer) } }
      if plan.models.contains(where: { $0.stream != nil }) {
        $0.array("models") { writer in plan.models.forEach { write($0, &writer) } }
      }
      if !plan.monitorDescriptions.isEmpty { $0.member("monitors", plan.monitorDescriptions) }
      if !plan.policyDescriptions.isEmpty { $0.member("policies", plan.policyDescriptions) }
      $0.member("declared_not_run_yet", plan.idleDescriptions)
      if let state { write(state, &$0) }
      if let history { write(history, &$0) }
      if let diff { write(diff, &$0) }
      $0.member("warnings", plan.warnings.map(\.description))
      $0.member("errors", plan.check(partitionCounts: partitionCounts).map(\.description))
      $0.member("notes", notes)
    }
    return writer.bytes
  }

  private func name(_ origin: ValueOrigin) -> String {
    switch origin {
    case .feature(let reference):
      "\(plan.views[reference.view].name):\(plan.views[reference.view].features[reference.feature].name)"
    case .request(let index): "request:\(plan.requestFields[index].name)"
    case .onDemand(let index): plan.onDemand[index].name
    }
  }

  private func writeTopics(_ writer: inout JSONWriter) {
    writer.array("topics") { writer in
      for topic in plan.topics {
        writer.object {
          $0.member("name", topic.name)
          $0.member("role", topic.role.rawValue)
          $0.member("of", topic.owners)
          if let count = partitionCounts[topic.name] { $0.member("partitions", count) }
        }
      }
    }
    if let taskCount { writer.member("tasks", taskCount) }
  }

  private func write(_ source: SourcePlan, _ writer: inout JSONWriter) {
    writer.object {
      $0.member("name", source.name)
      $0.member("topic", source.topic)
      $0.member("format", source.format.rawValue)
      $0.member("key", source.key.map { source.scope[$0].name })
      $0.member("partitioner", source.partitioner?.rawValue ?? "any")
      switch source.tenant {
      case nil: break
      case .name(let name): $0.member("tenant", name)
      case .field(let column): $0.member("tenant_by", source.scope[column].name)
      }
      $0.member("event_time", source.scope[source.eventTime.column].name)
      $0.member("lateness_ms", source.latenessMilliseconds)
      $0.member("max_skew_ms", source.maxSkewMilliseconds)
      if let dedupe = source.dedupe {
        $0.object("dedupe") {
          $0.member("by", source.scope[dedupe.column].name)
          $0.member("within_ms", dedupe.withinMilliseconds)
        }
      }
      if let filter = source.filterText { $0.member("filter", filter) }
      $0.member("decodes", source.columns.map { source.contract.fields[$0].path })
      $0.array("derives") { writer in
        for column in source.derived {
          writer.object {
            $0.member("name", column.name)
            $0.member("type", column.expression.type.description)
            $0.member("expression", column.text)
          }
        }
      }
      $0.member("fingerprint", source.fingerprint.description)
    }
  }

  private func write(_ view: ViewPlan, _ writer: inout JSONWriter) {
    writer.object {
      $0.member("name", view.name)
      $0.member("source", plan.sources[view.source].name)
      $0.member("entity", plan.entities[view.entity].name)
      if let tenant = view.tenant { $0.member("tenant", tenant) }
      $0.member("repartition_topic", view.repartitionTopic)
      if let filter = view.filterText { $0.member("filter", filter) }
      $0.member("lateness_ms", view.latenessMilliseconds)
      if let ttl = view.ttlMilliseconds { $0.member("ttl_ms", ttl) }
      $0.member("inputs", view.inputs.map(\.canonicalText))
      $0.array("features") { writer in
        for feature in view.features {
          writer.object {
            $0.member("name", feature.name)
            $0.member("type", feature.type.text)
            $0.member("definition", feature.definition)
            $0.member("fingerprint", feature.fingerprint.description)
          }
        }
      }
      if let cost = view.historyCost {
        $0.object("history") {
          $0.member("rows", view.history.rawValue)
          $0.member("table", view.historyTable)
          $0.member("cost", cost)
        }
      }
      $0.member("layout", view.layout.description)
      $0.member("state_bytes_per_key", view.layout.stateBytesPerKey)
      $0.member("least_state_bytes_per_key", view.layout.leastStateBytesPerKey)
      $0.member("fingerprint", view.fingerprint.description)
    }
  }

  private func write(_ service: ServicePlan, _ writer: inout JSONWriter) {
    writer.object {
      $0.member("name", service.name)
      if let tenant = service.tenant { $0.member("tenant", tenant) }
      $0.member("join_keys", service.joinKeys)
      $0.member("request", service.requestFields.map { plan.requestFields[$0].name })
      $0.array("features") { writer in
        for feature in service.features {
          writer.object {
            $0.member("name", feature.name)
            $0.member("reference", feature.reference)
            $0.member("type", feature.type.text)
            if feature.defaultValue != .null { $0.member("default", Self.text(feature.defaultValue)) }
          }
        }
      }
      $0.member("fingerprint", service.fingerprint.description)
    }
  }

  private func write(_ model: ModelPlan, _ writer: inout JSONWriter) {
    guard let stream = model.stream else { return }
    writer.object {
      $0.member("name", model.name)
      $0.member("service", plan.services[model.service].name)
      $0.member("each", plan.sources[model.source].name)
      if let tenant = model.tenant { $0.member("tenant", tenant) }
      $0.member("output", model.outputTopic)
      if let file = stream.file {
        $0.member("file", file.path)
        $0.member("version", file.contentHash)
        $0.member("summary", file.summary)
      }
      if let remote = stream.remote {
        $0.member("remote", remote.configuration.url)
        $0.member("protocol", remote.configuration.format.rawValue)
        $0.member("version", remote.contentHash)
      }
      if let use = model.use { $0.member("use", use.description) }
      if let shadow = model.shadow {
        $0.member("shadow", shadow.description)
        $0.member("shadow_output", stream.shadowTopic)
      }
      if !stream.fallbacks.isEmpty { $0.member("fallback", stream.fallbacks.map(\.description)) }
      if !model.tables.isEmpty { $0.member("tables", model.tables) }
      if let threshold = stream.threshold { $0.member("threshold", threshold) }
      if let timeout = stream.timeoutMilliseconds { $0.member("timeout_ms", timeout) }
      if let rows = stream.batchRowsMax { $0.member("max_batch", rows) }
      if stream.weights != .float32 { $0.member("weights", stream.weights.rawValue) }
      if let requests = model.requests {
        $0.member("requests", requests.topic)
        $0.member("responses", requests.responseTopic)
        if !requests.replyTopics.isEmpty { $0.member("reply_topics", requests.replyTopics) }
      }
      $0.member("format", stream.format.rawValue)
      if stream.format != .json {
        let schema = PredictionSchema(model, stream, isShadow: false)
        $0.member("subject", schema.subject)
        $0.json("schema", schema.json.filter { $0 != "\n" })
      }
      $0.member("features", stream.features.rawValue)
      $0.member("remote_views", model.remoteViews.map { plan.views[$0].name })
    }
  }

  private func write(_ diff: PlanDiff, _ writer: inout JSONWriter) {
    writer.object("changes") {
      $0.member("refused", diff.isRefused)
      $0.array("list") { writer in
        for change in diff.changes {
          writer.object {
            $0.member("kind", change.kind.rawValue)
            $0.member("subject", change.subject)
            $0.member("verdict", change.verdict.rawValue)
            $0.member("reason", change.reason)
            if let remedy = change.remedy { $0.member("remedy", remedy) }
          }
        }
      }
    }
  }
}
