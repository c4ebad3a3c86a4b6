package import Contracts
package import Core
internal import Drift
package import Kafka
package import Logging
package import Storage
internal import Synchronization
package import Topology

/// How the monitors of a process run.
package struct MonitoringConfiguration: Sendable {
  package var client: ClientConfiguration
  /// The monitors' state lies in `monitors` below it.
  package var dataDirectory: String
  /// Where the table `drift/MODEL` is; nil: results go to their topic alone.
  package var tableStore: (any BlobStore)?
  package var checkpointIntervalMilliseconds: Int64 = 10_000
  /// How long a partition has nothing more until windows no longer wait for it.
  package var idleAfterMilliseconds: Int64 = 60_000
  package var replicationFactor: Int32 = 1
  /// Whether events wait to be scored in this process: then monitors work for a tenth of the time, and catch up later.
  package var isStreamBehind: @Sendable () -> Bool = { false }

  package init(client: ClientConfiguration, dataDirectory: String) {
    self.client = client
    self.dataDirectory = dataDirectory
  }
}

/// Runs the monitors of a topology on a thread of its own: views of the topics of predictions, events and labels, with
/// offsets of their own.
///
/// Of all processes of a topology one does it: the member of the group `<topology>.monitors` that has the first
/// partition of predictions. Another one that takes over reads the log from its beginning, and tells what has not been
/// told.
package final class MonitorService: Sendable {
  private let configuration: MonitoringConfiguration
  private let schemas: any WriterSchemas
  private let logger: Logger
  /// Watching waits in its topics, scoring must not: when there is more to do than processors can, monitors are late.
  private let thread = SessionThread("monitors", priority: .background)
  private let plans = Followed<Plan>()
  private let board = MonitorBoard()

  package init(
    configuration: MonitoringConfiguration, schemas: any WriterSchemas = NoWriterSchemas(), logger: Logger
  ) {
    self.configuration = configuration
    self.schemas = schemas
    var logger = logger
    logger[metadataKey: "part"] = "monitors"
    self.logger = logger
  }

  /// Starts, or goes over to another plan. A plan without monitors runs none.
  package func run(_ plan: Plan) throws(HeadraceError) {
    plans.set(plan.runningMonitors.isEmpty ? nil : plan)
    guard !plan.runningMonitors.isEmpty else { return }
    try thread.start { thread in
      let worker = MonitorWorker(self.configuration, self.schemas, self.board, self.logger)
      thread.repeatSessions(
        following: self.plans,
        failed: { error, _ in self.logger.warning("monitors begin again", metadata: ["error": "\(error)"]) },
        session: worker.session)
    }
  }

  /// Goes over to another plan, once `run` was called.
  package func follow(_ plan: Plan) {
    do throws(HeadraceError) {
      try run(plan)
    } catch {
      logger.error("monitors do not start", metadata: ["error": "\(error)"])
    }
  }

  /// What has been found last.
  package var status: MonitorStatus { board.status }

  /// Saves the state and ends.
  package func stop() async { await thread.stop() }
}

/// Where the monitors' thread notes what it has found, for others to read.
final class MonitorBoard: Sendable {
  private let state = Mutex(MonitorStatus())

  var status: MonitorStatus { state.withLock { $0 } }

  func note(_ results: [MonitorResult]) { state.withLock { $0.note(results) } }
  func note(_ alarms: OpenAlarms, monitor: String) { state.withLock { $0.open[monitor] = alarms } }
  func note(positions: [TopicPartition: Int64]) { state.withLock { $0.positions = positions } }
  func note(monitor: String, rows: Int, late: Int) {
    state.withLock { status in
      status.rowCounts[monitor] = rows
      status.lateCounts[monitor] = late
    }
  }
}

/// What of a monitor's is outside its limits.
package struct OpenAlarms: Sendable {
  package var model: String
  package var lives: [AlarmLife]
}

/// The last figures of each monitor, for metrics.
package struct MonitorStatus: Sendable {
  package struct Key: Hashable, Sendable, Comparable {
    package var monitor: String
    package var model: String
    package var feature: String
    /// A test, or a metric of quality.
    package var figure: String

    package static func < (left: Key, right: Key) -> Bool {
      (left.monitor, left.feature, left.figure) < (right.monitor, right.feature, right.figure)
    }
  }

  /// Scores of the last window.
  package internal(set) var scores: [Key: Double] = [:]
  /// Figures of the last labelled window; the feature is the segment, empty for all rows.
  package internal(set) var performance: [Key: Double] = [:]
  /// Alarms that rang since the start, by monitor and feature; figures are the causes.
  package internal(set) var alarms: [Key: Int] = [:]
  /// Those that are open, and the newest digest, by monitor.
  package internal(set) var open: [String: OpenAlarms] = [:]
  package internal(set) var digests: [String: MonitorResult] = [:]
  package internal(set) var rowCounts: [String: Int] = [:]
  package internal(set) var lateCounts: [String: Int] = [:]
  /// Everything below was read, and what followed from it is told; noted whenever there is nothing more to read.
  package internal(set) var positions: [TopicPartition: Int64] = [:]

  package init() {}

  mutating func note(_ results: [MonitorResult]) {
    for result in results {
      func key(_ feature: String, _ figure: String) -> Key {
        Key(monitor: result.monitor, model: result.model, feature: feature, figure: figure)
      }
      switch result.content {
      case .window, .labels:
        for feature in result.features {
          for test in feature.tests { scores[key(feature.feature, test.test.rawValue)] = test.score.score }
        }
      case .performance(let performance):
        for figure in performance.figures {
          self.performance[key(performance.segment ?? "", figure.metric)] = figure.interval.value
        }
      case .alarm(let alarm) where alarm.mutedBy == nil:
        alarms[key(alarm.drift.feature, alarm.drift.cause.code), default: 0] += 1
      case .digest(let digest) where !digest.isOfLabels: digests[result.monitor] = result
      case .alarm, .resolved, .digest, .change, .estimate: break
      }
    }
  }
}
