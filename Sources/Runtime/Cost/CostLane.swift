internal import Core
internal import Cost
internal import Kafka
internal import Logging
internal import OfflineStore
internal import Storage
internal import Synchronization

/// The thread that keeps the account: it looks at threads and folders, writes what was used to the table `usage`, and
/// tells when a budget is or will be exceeded, or something costs far more than it does usually.
final class CostLane: Sendable {
  private static let roundMilliseconds: Int64 = 1_000
  private static let holdingRounds = 10
  private static let drainMilliseconds: Int64 = 5_000

  private struct State: Sendable {
    var isRunning = false
    var isDraining = false
    var hasEnded = false
    var events: [CostEvent] = []
  }

  private let account: CostAccount
  private let configuration: RuntimeConfiguration
  private let clock: WallClock
  private let logger: Logger
  private let state = Monitor(State())
  private let predictionCosts: PredictionCosts?
  private let measure: @Sendable () -> Void
  private let held: @Sendable () -> (topology: String, readings: [CostAccount.Reading])?
  private let act: @Sendable (CostEvent) -> Void
  private let sample: @Sendable ([CostWatch.Sampling]) -> Void

  private static let eventsMax = 100
  static let topic = "headrace.cost"

  /// - Parameters:
  ///   - predictionCosts: is told about once a second what predictions cost.
  ///   - measure: notes what is not metered where it is used.
  ///   - held: the topology's name and what is held now; nil once the engine has gone.
  ///   - act: does what a budget wants done, once its event is told.
  ///   - sample: is told at the end of each span which models are to be sampled, by this process's account.
  init(
    _ account: CostAccount, _ configuration: RuntimeConfiguration, _ predictionCosts: PredictionCosts?,
    clock: WallClock, logger: Logger, measure: @escaping @Sendable () -> Void,
    held: @escaping @Sendable () -> (topology: String, readings: [CostAccount.Reading])?,
    act: @escaping @Sendable (CostEvent) -> Void, sample: @escaping @Sendable ([CostWatch.Sampling]) -> Void
  ) {
    self.account = account
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    self.predictionCosts = predictionCosts
    self.measure = measure
    self.held = held
    self.act = act
    self.sample = sample
  }

  /// The newest last.
  var events: [CostEvent] { state.change { $0.events } }

  /// Works until `drain`.
  func run() {
    state.change { $0.isRunning = true }
    var work = makeWork()
    var round = 0
    while !state.change({ $0.isDraining }) {
      account.noteThreads()
      measure()
      predictionCosts?.update(account.usage(topology: ""))
      if round % Self.holdingRounds == 0, let held = held() { account.note(held.readings) }
      round += 1
      if WallClock.monotonic.nowMilliseconds >= work.dueAtMilliseconds { close(&work) }
      _ = state.wait(timeoutMilliseconds: Self.roundMilliseconds) { $0.isDraining ? true : nil }
    }
    close(&work)
    state.change { $0.hasEnded = true }
  }

  func drain() {
    let isRunning = state.change { state in
      state.isDraining = true
      return state.isRunning
    }
    guard isRunning else { return }
    _ = state.wait(timeoutMilliseconds: Self.drainMilliseconds) { $0.hasEnded ? true : nil }
  }

  struct Work {
    var watch: CostWatch
    var last: UsageReport?
    var dueAtMilliseconds: Int64
  }

  func makeWork() -> Work {
    Work(
      watch: CostWatch(configuration.prices?.budgets ?? []), last: nil,
      dueAtMilliseconds: WallClock.monotonic.nowMilliseconds + configuration.usageIntervalMilliseconds)
  }

  /// Ends a span: writes it, holds it against budgets, and says which models are to be sampled on.
  func close(_ work: inout Work) {
    work.dueAtMilliseconds = WallClock.monotonic.nowMilliseconds + configuration.usageIntervalMilliseconds
    guard let held = held() else { return }
    account.note(held.readings)
    settle(account.usage(topology: held.topology), &work)
    // Whatever became of the span, and without prices too: a sample ends with its time, whoever began it.
    if !state.change({ $0.isDraining }) { sample(work.watch.samplings(atMilliseconds: clock.nowMilliseconds)) }
  }

  private func settle(_ usage: UsageReport, _ work: inout Work) {
    let span = work.last.map { usage.since($0) } ?? usage
    if let store = configuration.tableStore {
      do throws(HeadraceError) {
        try UsageTable.append(span, to: store, nowMilliseconds: clock.nowMilliseconds)
      } catch {
        // The next span begins where this one does: nothing is lost as long as the process lives.
        logger.warning("usage could not be written", metadata: ["error": "\(error)"])
        return
      }
    }
    work.last = usage
    if let prices = configuration.prices { tell(work.watch.take(CostReport(span, prices: prices))) }
  }

  private func tell(_ events: [CostEvent]) {
    guard !events.isEmpty else { return }
    state.change { state in
      state.events += events
      state.events.removeFirst(max(state.events.count - Self.eventsMax, 0))
    }
    var batch = ProduceBatch(topic: Self.topic)
    for event in events {
      logger.warning(
        "cost",
        metadata: [
          "event": "\(event.kind.rawValue)", "name": "\(event.name)", "scope": "\(event.scope)",
          "action": "\(event.action.rawValue)", "spent": "\(event.spent)", "expected": "\(event.expected)",
          "currency": "\(event.currency)",
        ])
      let id = "\(event.timeMilliseconds)-\(event.name)-\(event.kind.rawValue)"
      let json = event.cloudEvent(source: "headrace/\(configuration.dataDirectory)", id: id)
      do throws(HeadraceError) {
        try batch.append(key: event.scope, value: String(decoding: json, as: UTF8.self))
        try batch.appendHeader("content-type", "application/cloudevents+json; charset=UTF-8")
      } catch {
        logger.warning("a cost event could not be written", metadata: ["error": "\(error)"])
      }
    }
    send(batch)
    for event in events where event.kind == .budgetExceeded { act(event) }
  }

  private func send(_ batch: ProduceBatch) {
    do {
      let admin = try Admin(configuration.client)
      let topic = NewTopic(
        name: Self.topic, partitionCount: 1, replicationFactor: configuration.replicationFactor, configuration: [:])
      for (_, error) in try admin.createTopics([topic]) where !error.isKafka(.topicExists) { throw error }
      var producing = ProducerConfiguration(client: configuration.client)
      producing.lingerMilliseconds = 0
      let producer = try Producer(producing)
      defer { producer.close() }
      try producer.send(batch)
      try producer.flush(timeoutMilliseconds: Int32(Self.drainMilliseconds))
    } catch {
      logger.warning("cost events could not be sent", metadata: ["error": "\(error)"])
    }
  }
}
