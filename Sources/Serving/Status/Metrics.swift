internal import Core
internal import NIOCore
internal import OfflineStore
internal import Runtime

/// What `/metrics` says: one reading of everything.
struct Metrics {
  let catalog: ServingCatalog
  let report: EngineReport
  let cost: CostReading?
  let counters: ServerCounters
  let admission: AdmissionControl
  /// nil: nobody else is asked for rows.
  let peers: PeerCounters?
  let shapes: Int
  let nowMilliseconds: Int64

  func text(_ format: MetricsText.Format = .prometheus) -> ByteBuffer {
    var text = MetricsText(format)
    writeProcess(&text)
    writeSources(&text)
    writeTasks(&text)
    writeTables(&text)
    writeRemoteModels(&text)
    writeLag(&text)
    writeRequests(&text)
    writeFeatures(&text)
    if let peers { writePeers(peers, &text) }
    if let parity = report.parity { writeParity(parity, &text) }
    if let cost { writeCost(cost, &text) }
    writeMonitors(&text)
    writeOutside(&text)
    return text.end()
  }

  private func writeProcess(_ text: inout MetricsText) {
    text.family("headrace_topology_info", .gauge, "The topology that this process runs.") {
      $0.add(true, ("topology", catalog.name), ("fingerprint", catalog.fingerprint))
    }
    text.family("headrace_engine_start_time_seconds", .gauge, "When the engine began, since 1970.") {
      $0.add(Double(report.startedMilliseconds) / 1_000)
    }
    text.family("headrace_state_memory_bytes", .gauge, "Rows of all tasks in memory.") {
      $0.add(report.stateBytes)
    }
    text.family("headrace_memory_bytes", .gauge, "Memory of this process by what it is for.") {
      $0.add(report.stateBytes, ("part", "rows"))
      $0.add(report.memoryTableBytes, ("part", "memory_tables"))
      $0.add(report.blockCacheBytes, ("part", "block_cache"))
      $0.add(Int64(ProcessMemory.idleBytes), ("part", "allocator_idle"))
    }
    text.family("process_resident_memory_bytes", .gauge, "Physical memory of this process.") {
      $0.add(Int64(ProcessMemory.residentBytes))
    }
    text.family("headrace_state_dirty_bytes", .gauge, "State that no checkpoint holds yet.") {
      $0.add(report.dirtyBytes)
    }
  }

  /// Conservation: read = applied + repaired + filtered + deduplicated + late + dead_lettered.
  private func writeSources(_ text: inout MetricsText) {
    text.family("headrace_source_records_read", .counter, "Records of a source that were read.") { samples in
      for source in report.sources { samples.add(source.read, ("source", source.name)) }
    }
    text.family("headrace_source_records", .counter, "Records of a source by what became of them.") { samples in
      for source in report.sources {
        for (outcome, count) in source.outcomes { samples.add(count, ("source", source.name), ("outcome", outcome)) }
      }
    }
    text.family(
      "headrace_source_records_misplaced", .counter, "Records whose key is not in the partition that it belongs to."
    ) { samples in
      for source in report.sources { samples.add(source.misplaced, ("source", source.name)) }
    }
  }

  private func writeTasks(_ text: inout MetricsText) {
    text.family("headrace_task_state", .gauge, "1 for the state that a task is in.") { samples in
      for task in report.tasks { samples.add(true, ("task", String(task.partition)), ("state", task.state.rawValue)) }
    }
    text.family("headrace_task_readable", .gauge, "1 while rows of the task may be read.") { samples in
      for task in report.tasks { samples.add(task.isReadable, ("task", String(task.partition))) }
    }
    text.family("headrace_task_stalled", .gauge, "1 while a task does not move although it should.") { samples in
      for task in report.tasks {
        samples.add(task.whyNotMoving != nil, ("task", String(task.partition)))
      }
    }
    text.family("headrace_task_watermark_seconds", .gauge, "Up to where event time was seen, since 1970.") { samples in
      for task in report.tasks {
        guard let watermark = task.watermarkMilliseconds else { continue }
        samples.add(Double(watermark) / 1_000, ("task", String(task.partition)))
      }
    }
    text.family("headrace_task_lag_seconds", .gauge, "Event time between a task and the end of its log.") { samples in
      for task in report.tasks {
        guard let lag = task.lagMilliseconds else { continue }
        samples.add(Double(lag) / 1_000, ("task", String(task.partition)))
      }
    }
    text.family("headrace_task_checkpoint_age_seconds", .gauge, "Time since a task's last checkpoint.") { samples in
      for task in report.tasks {
        guard let age = task.checkpointAgeMilliseconds else { continue }
        samples.add(Double(age) / 1_000, ("task", String(task.partition)))
      }
    }
    text.family(
      "headrace_task_snapshot_lag_seconds", .gauge,
      "How much older the newest snapshot of a task's state is than its newest checkpoint."
    ) { samples in
      for task in report.tasks {
        guard let lag = task.snapshotLagMilliseconds else { continue }
        samples.add(Double(lag) / 1_000, ("task", String(task.partition)))
      }
    }
    text.family("headrace_task_snapshot_failing", .gauge, "1 while the last snapshot of a task failed.") { samples in
      for task in report.tasks {
        samples.add(Int64(task.snapshotFailure == nil ? 0 : 1), ("task", String(task.partition)))
      }
    }
    text.family("headrace_task_checkpoint_bytes", .gauge, "Bytes that a task's last checkpoint wrote.") { samples in
      for task in report.tasks { samples.add(task.checkpointBytes, ("task", String(task.partition))) }
    }
  }

  private func writeTables(_ text: inout MetricsText) {
    text.family("headrace_table_waiting_rows", .gauge, "Rows that a table does not have yet.") { samples in
      for table in report.tables { samples.add(table.waitingRows, ("table", table.name)) }
    }
    text.family(
      "headrace_table_commit_lag_seconds", .gauge, "For how long the oldest row waits that a table does not have yet."
    ) { samples in
      for table in report.tables {
        samples.add(Double(table.oldestWaitingMilliseconds) / 1_000, ("table", table.name))
      }
    }
    text.family("headrace_table_rows", .counter, "Rows that were committed to a table.") { samples in
      for table in report.tables { samples.add(table.publishedRows, ("table", table.name)) }
    }
    text.family("headrace_table_failures", .counter, "Tries to commit to a table that failed.") { samples in
      for table in report.tables { samples.add(table.failures, ("table", table.name)) }
    }
  }

  /// Under the names that kafka_exporter uses, so that people's dashboards and autoscalers find them.
  private func writeLag(_ text: inout MetricsText) {
    let inputs = report.tasks.flatMap(\.inputs)
    text.family("kafka_consumergroup_lag", .gauge, "Records between the group and the end of a partition.") { samples in
      for input in inputs {
        guard let lag = input.lag else { continue }
        samples.add(
          lag, ("consumergroup", catalog.name), ("topic", input.topic), ("partition", String(input.partition)))
      }
    }
    text.family("kafka_consumergroup_current_offset", .gauge, "The group's committed offset of a partition.") {
      samples in
      for input in inputs {
        guard let committed = input.committedOffset else { continue }
        samples.add(
          committed, ("consumergroup", catalog.name), ("topic", input.topic),
          ("partition", String(input.partition)))
      }
    }
    text.family("headrace_input_state_offset", .gauge, "The offset up to which the state holds a partition.") {
      samples in
      for input in inputs {
        guard let offset = input.stateOffset else { continue }
        samples.add(offset, ("topic", input.topic), ("partition", String(input.partition)))
      }
    }
  }

  private func writeRequests(_ text: inout MetricsText) {
    text.family("headrace_http_requests", .counter, "Requests by address and outcome.") { samples in
      for route in Route.allCases {
        for outcome in ServerCounters.Outcome.allCases {
          let count = counters.of(route).count(outcome)
          if count > 0 { samples.add(count, ("path", route.path), ("outcome", outcome.label)) }
        }
      }
    }
    text.family("headrace_http_unrouted_requests", .counter, "Requests for addresses that there are not.") {
      $0.add(counters.unrouted.value)
    }
    text.family(
      "headrace_http_request_duration_seconds", .histogram, "From a request's first look to its answer."
    ) { samples in
      for route in Route.allCases { samples.add(counters.of(route).duration, ("path", route.path)) }
    }
    text.family("headrace_http_requests_under_way", .gauge, "Requests that are not answered yet.") {
      $0.add(Int64(admission.requests))
    }
    text.family("headrace_http_waiting_requests", .gauge, "Requests that wait for an offset or an acknowledgement.") {
      $0.add(Int64(admission.waitingRequests))
    }
    text.family("headrace_http_connections", .gauge, "Open connections.") { $0.add(Int64(admission.connections)) }
    text.family("headrace_http_connections_refused", .counter, "Connections past the limit.") {
      $0.add(Int64(admission.refusedConnections))
    }
    text.family("headrace_http_connections_too_slow", .counter, "Connections closed because their peer was too slow.") {
      $0.add(Int64(admission.slowConnections))
    }
  }

  private func writeFeatures(_ text: inout MetricsText) {
    text.family("headrace_online_entities", .counter, "Entities that features were read for.") {
      $0.add(counters.entityRows.value)
    }
    text.family("headrace_online_values", .counter, "Values of features by their status.") {
      $0.add(counters.presentValues.value, ("status", "PRESENT"))
      $0.add(counters.nullValues.value, ("status", "NULL_VALUE"))
      $0.add(counters.notFoundValues.value, ("status", "NOT_FOUND"))
      $0.add(counters.expiredValues.value, ("status", "OUTSIDE_MAX_AGE"))
    }
    text.family("headrace_online_resolved_shapes", .gauge, "Different lists of features that are kept resolved.") {
      $0.add(Int64(shapes))
    }
    text.family("headrace_pushed_events", .counter, "Events that came by push, by what became of them.") {
      $0.add(counters.pushedEvents.value, ("outcome", "written"))
      $0.add(counters.refusedEvents.value, ("outcome", "refused"))
    }
  }
}

extension Metrics {
  private func writePeers(_ peers: PeerCounters, _ text: inout MetricsText) {
    text.family(
      "headrace_forwarded_requests", .counter,
      "Requests to other workers for rows of their keys, by what became of them."
    ) {
      $0.add(peers.answered.value, ("outcome", "answered"))
      $0.add(peers.moved.value, ("outcome", "moved"))
      $0.add(peers.unreachable.value, ("outcome", "unreachable"))
      $0.add(peers.failed.value, ("outcome", "failed"))
    }
    text.family("headrace_forwarded_rows", .counter, "Rows that other workers gave.") { $0.add(peers.rows.value) }
  }

  private func writeParity(_ parity: ParityStatus, _ text: inout MetricsText) {
    text.family("headrace_feature_skew_checked", .counter, "Served values that were made again from the archive.") {
      samples in
      for (feature, count) in parity.checked.sorted(by: { $0.key < $1.key }) {
        samples.add(count, ("view", feature.view), ("feature", feature.name))
      }
    }
    text.family(
      "headrace_feature_skew_mismatch", .counter,
      "Served values that are not what their records, or a training set at the same time, give; code is a fault."
    ) { samples in
      for (mismatch, count) in parity.mismatches.sorted(by: { $0.key < $1.key }) {
        samples.add(
          count, ("view", mismatch.feature.view), ("feature", mismatch.feature.name), ("cause", mismatch.cause.rawValue)
        )
      }
    }
    text.family("headrace_feature_skew_sampled_vectors", .counter, "Served vectors that were logged.") {
      $0.add(parity.sampled)
    }
    text.family("headrace_feature_skew_dropped_vectors", .counter, "Samples of served vectors that were lost.") {
      $0.add(parity.dropped)
    }
    text.family("headrace_feature_skew_waiting_vectors", .gauge, "Samples that wait for the archive.") {
      $0.add(Int64(parity.waiting))
    }
  }
}

extension EngineReport.Source {
  var outcomes: [(name: String, count: Int64)] {
    [
      ("applied", applied), ("repaired", repaired), ("filtered", filtered), ("deduplicated", deduplicated),
      ("late", late), ("dead_lettered", deadLettered),
    ]
  }
}
