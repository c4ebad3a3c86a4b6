internal import Core
internal import Columns
internal import NIOCore

/// `/api/…`, `/livez` and `/readyz`: what the server is and how it is.
struct StatusReplies {
  let catalog: ServingCatalog
  let report: EngineReport

  func views() -> ByteBuffer {
    .object { json in
      json.objects("views", catalog.views) { json, view in
        json.member("name", view.name)
        json.member("entity", view.entity)
        json.strings("join_keys", view.joinKeys.map(\.name))
        json.member("source", source(view.source))
        json.member("ttl_seconds", seconds: view.ttlMilliseconds)
        json.member("repartitioned", view.isRepartitioned)
        json.member("fingerprint", view.fingerprint)
        json.objects("features", view.features) { json, feature in
          json.member("name", feature.name)
          json.member("type", feature.typeName)
          json.member("definition", feature.definition)
        }
      }
    }
  }

  func topology() -> ByteBuffer {
    .object { json in
      json.member("topology", catalog.name)
      json.member("fingerprint", catalog.fingerprint)
      json.objects("sources", catalog.sources) { json, source in
        json.member("name", source.name)
        json.member("topic", source.topic)
        json.member("accepts_push", source.push != nil)
      }
      json.objects("entities", entities) { json, entity in
        json.member("name", entity.name)
        json.objects("join_keys", entity.joinKeys) { json, key in
          json.member("name", key.name)
          json.member("type", key.type.description)
        }
      }
      json.strings("views", catalog.views.map(\.name))
      json.objects("request_fields", catalog.requestFields) { json, field in
        json.member("name", field.name)
        json.member("type", field.type.description)
      }
      json.objects("on_demand", catalog.onDemand) { json, feature in
        json.member("name", feature.name)
        json.member("type", feature.type.description)
        json.strings("inputs", feature.inputs.map { reference($0) })
      }
      json.objects("services", catalog.services) { json, service in
        json.member("name", service.name)
        json.member("fingerprint", service.fingerprint)
        json.objects("features", service.features) { json, feature in
          json.member("name", feature.name)
          json.member("reference", reference(feature.origin))
        }
      }
    }
  }

  func tasks() -> ByteBuffer {
    .object { json in
      json.objects("tasks", report.tasks) { json, task in
        json.member("partition", Int64(task.partition))
        json.member("state", task.state.rawValue)
        json.member("readable", task.isReadable)
        json.member("watermark", time: task.watermarkMilliseconds)
        json.member("lag_seconds", seconds: task.lagMilliseconds)
        json.member("checkpoint_age_seconds", seconds: task.checkpointAgeMilliseconds)
        json.member("snapshot_lag_seconds", seconds: task.snapshotLagMilliseconds)
        json.member("snapshot_failure", task.snapshotFailure)
        json.member("why_not_moving", task.whyNotMoving)
        json.member("plan", task.planFingerprint)
        json.objects("building", task.builds) { json, build in
          json.member("view", build.view)
          json.member("position", build.position)
          json.member("target", build.target)
        }
        json.objects("inputs", task.inputs) { json, input in
          json.member("topic", input.topic)
          json.member("partition", Int64(input.partition))
          json.member("position", input.position)
          json.member("state_offset", input.stateOffset)
          json.member("committed_offset", input.committedOffset)
          json.member("end_offset", input.endOffset)
          json.member("lag_records", input.lag)
        }
      }
      json.objects("sources", report.sources) { json, source in
        json.member("name", source.name)
        json.member("topic", source.topic)
        json.member("read", source.read)
        for (outcome, count) in source.outcomes { json.member(outcome, count) }
        json.member("misplaced", source.misplaced)
        json.member("without_entity", source.withoutEntity)
      }
      json.objects("tables", report.tables) { json, table in
        json.member("name", table.name)
        json.member("waiting_rows", table.waitingRows)
        json.member("oldest_waiting_ms", table.oldestWaitingMilliseconds)
        json.member("published_rows", table.publishedRows)
        json.member("failures", table.failures)
        json.member("last_failure", table.lastFailure)
      }
    }
  }

  /// 200 only with a proof: every task may be read and moves, or has nothing to do.
  func ready() -> Reply {
    let stalled = report.tasks.filter { $0.whyNotMoving != nil || $0.state == .stopped }
    let unreadable = report.tasks.filter { !$0.isReadable }
    let isReady = stalled.isEmpty && report.isReadable
    let body = ByteBuffer.object { json in
      json.member("ready", isReady)
      json.member("failure", report.failure ?? (report.isStarting ? "the workers have not started" : nil))
      json.objects("not_readable", unreadable) { json, task in
        json.member("partition", Int64(task.partition))
        json.member("state", task.state.rawValue)
      }
      json.objects("not_moving", stalled) { json, task in
        json.member("partition", Int64(task.partition))
        json.member("why", task.whyNotMoving ?? task.state.rawValue)
      }
    }
    var reply = Reply.json(body, status: isReady ? 200 : 503)
    if !isReady { reply.retryAfterSeconds = 1 }
    return reply
  }

  private var entities: [(name: String, joinKeys: [ServingCatalog.Field])] {
    var names: Set<String> = []
    return catalog.views.filter { names.insert($0.entity).inserted }.map { ($0.entity, $0.joinKeys) }
  }

  private func source(_ index: Int) -> String? {
    catalog.sources.indices.contains(index) ? catalog.sources[index].name : nil
  }

  private func reference(_ origin: ServingCatalog.Origin) -> String {
    switch origin {
    case .feature(let view, let feature):
      "\(catalog.views[view].name):\(catalog.views[view].features[feature].name)"
    case .request(let field): "request:\(catalog.requestFields[field].name)"
    case .onDemand(let index): catalog.onDemand[index].name
    }
  }
}

extension ByteBuffer {
  fileprivate static func object(_ content: (inout JSONDocumentWriter) -> Void) -> ByteBuffer {
    JSONDocumentWriter.object(content)
  }
}
