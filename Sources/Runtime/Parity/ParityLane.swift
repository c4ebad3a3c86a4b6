internal import Core
internal import Kafka
internal import Logging
package import OfflineStore
internal import Storage
internal import Topology

/// The thread behind the samples of what is served: brings them into their tables, and holds some of them against the
/// archive when it has caught up with them.
///
/// Off the hot path and bounded: what comes while the buffer is full is dropped and counted, and of the time at most
/// one part in twenty is spent on comparing.
package final class ParityLane: Sendable {
  private struct State: Sendable {
    var buffer: [Sample] = []
    var status = ParityStatus()
    var isRunning = false
    var isDraining = false
    var hasEnded = false
  }

  /// A vector, and the definitions that it was served by.
  private struct Sample: Sendable {
    var vector: ServedVector
    var specification: ParitySpecification
  }

  private let store: any BlobStore
  private let freshnessMilliseconds: Int64
  private let clock: WallClock
  private let logger: Logger
  private let state = Monitor(State())

  private static let bufferMax = 8_192
  private static let waitingMax = 512
  private static let checkedAtOnce = 128
  private static let roundMilliseconds: Int64 = 250
  private static let retryMilliseconds: Int64 = 5_000
  private static let drainMilliseconds: Int64 = 5_000
  /// Comparing rests so many times as long as it took.
  private static let restFactor: Int64 = 19
  private static let restMinimumMilliseconds: Int64 = 2_000
  /// What the archive does not have after this is not waited for.
  private static let patienceMilliseconds: Int64 = 900_000
  /// A view that needs more of the archive, one with features over all time, is left to `headrace verify`.
  private static let archiveBytesMax: Int64 = 256 << 20
  private static let eventBytesMax = 32 << 20
  private static let partCountMax = 4

  init(_ store: any BlobStore, _ configuration: RuntimeConfiguration, clock: WallClock, logger: Logger) {
    self.store = store
    freshnessMilliseconds = configuration.tableFreshnessMilliseconds
    self.clock = clock
    self.logger = logger
  }

  package var status: ParityStatus { state.change { $0.status } }

  /// Any thread; never waits.
  package func offer(_ vector: ServedVector, _ specification: ParitySpecification) {
    state.change { state in
      guard state.buffer.count < Self.bufferMax else { return state.status.dropped &+= 1 }
      state.buffer.append(Sample(vector: vector, specification: specification))
    }
  }

  /// Works until `drain`.
  func run() {
    state.change { $0.isRunning = true }
    var work = Work(log: ServedLog(store), dueAtMilliseconds: 0)
    while !state.change({ $0.isDraining }) {
      let now = WallClock.monotonic.nowMilliseconds
      if now >= work.dueAtMilliseconds { flush(&work, now) }
      if now >= work.checkAtMilliseconds { check(&work) }
      _ = state.wait(timeoutMilliseconds: Self.roundMilliseconds) { $0.isDraining ? true : nil }
    }
    flush(&work, WallClock.monotonic.nowMilliseconds)
    state.change { $0.hasEnded = true }
  }

  /// What the thread holds.
  private struct Work {
    var log: ServedLog
    var dueAtMilliseconds: Int64
    var checkAtMilliseconds: Int64 = 0
    var waiting: [Sample] = []
  }

  /// Writes what was sampled; gives up after a while.
  func drain() {
    let isRunning = state.change { state in
      state.isDraining = true
      return state.isRunning
    }
    guard isRunning else { return }
    _ = state.wait(timeoutMilliseconds: Self.drainMilliseconds) { $0.hasEnded ? true : nil }
  }

  private func flush(_ work: inout Work, _ now: Int64) {
    let samples = state.change { state in
      defer { state.buffer = [] }
      return state.buffer
    }
    work.dueAtMilliseconds = now &+ min(freshnessMilliseconds, Self.retryMilliseconds)
    guard !samples.isEmpty else { return }
    do throws(HeadraceError) {
      try work.log.append(samples.map(\.vector), nowMilliseconds: clock.nowMilliseconds)
      state.change { state in
        state.status.sampled &+= Int64(samples.count)
        state.status.failure = nil
      }
    } catch {
      logger.warning("served values could not be logged", metadata: ["error": "\(error)"])
      state.change { state in
        state.status.dropped &+= Int64(samples.count)
        state.status.failure = error.description
      }
    }
    work.waiting += samples.suffix(Self.waitingMax)
    work.waiting.removeFirst(max(work.waiting.count - Self.waitingMax, 0))
    let waiting = work.waiting.count
    state.change { $0.status.waiting = waiting }
  }
}

// Comparing.
extension ParityLane {
  private func check(_ work: inout Work) {
    let began = WallClock.monotonic.nowMilliseconds
    do throws(HeadraceError) {
      try compareReady(&work.waiting)
    } catch {
      logger.warning("served values could not be compared", metadata: ["error": "\(error)"])
      state.change { $0.status.failure = error.description }
    }
    let waiting = work.waiting.count
    state.change { $0.status.waiting = waiting }
    let ended = WallClock.monotonic.nowMilliseconds
    work.checkAtMilliseconds = ended &+ max((ended - began) * Self.restFactor, Self.restMinimumMilliseconds)
  }

  /// Compares the oldest of those whose records the archive has.
  private func compareReady(_ waiting: inout [Sample]) throws(HeadraceError) {
    guard let specification = waiting.first?.specification else { return }
    var configuration = ParityCheck.Configuration()
    configuration.archiveBytesMax = Self.archiveBytesMax
    configuration.eventBytesMax = Self.eventBytesMax
    configuration.partCountMax = Self.partCountMax
    let check = ParityCheck(specification, tables: store, configuration: configuration)
    var (ready, rest): ([ServedVector], [Sample]) = ([], [])
    let oldest = clock.nowMilliseconds &- Self.patienceMilliseconds
    for sample in waiting {
      // Another plan's turn comes when these are done.
      let isDue = sample.specification.fingerprint == specification.fingerprint && ready.count < Self.checkedAtOnce
      if isDue, try check.isArchived(sample.vector) {
        ready.append(sample.vector)
      } else if sample.vector.servedMilliseconds > oldest {
        rest.append(sample)
      }
    }
    waiting = rest
    guard !ready.isEmpty else { return }
    let report = try check.run(ready)
    state.change { $0.status.add(report) }
    for example in report.examples where !example.isExplained {
      logger.error(
        "a served value is not what its records give",
        metadata: [
          "feature": "\(example.feature.view):\(example.feature.name)", "cause": "\(example.cause.rawValue)",
          "entity": "\(example.entity)", "served": "\(example.served)", "recomputed": "\(example.recomputed)",
          "position": "\(example.position)",
        ])
    }
  }
}
