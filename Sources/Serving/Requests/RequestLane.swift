package import Core
package import Kafka
package import Logging
internal import Topology

/// Answers requests that come through topics: a member of a consumer group of its own, on a thread of its own.
///
/// Exactly once: what one poll brought is scored, and its answers and offsets are one transaction. After anything that
/// goes wrong everything is made anew and reading begins at what is committed; a member whose partitions went to
/// another one meanwhile is refused by the group's generation. Scores are a function of the request and of the model
/// in force, so that an answer that was never visible is simply made again.
package final class RequestLane: Sendable {
  /// What it needs from the process.
  package struct Configuration: Sendable {
    package var client: ClientConfiguration
    /// Also the name of the group, with `.requests` behind it.
    package var topology: String
    /// Of this process, the same after a restart: fences its former life.
    package var instance: String
    package var transactionMilliseconds: Int32 = 10_000
    /// Requests of one transaction: what comes together is visible together.
    package var batchRecordsMax = 256
    /// How long a request is held that needs what is not there yet, when it has no deadline of its own.
    package var holdMilliseconds: Int64 = 10_000

    package init(client: ClientConfiguration, topology: String, instance: String) {
      self.client = client
      self.topology = topology
      self.instance = instance
    }
  }

  private struct State: Sendable {
    var endpoints: [RequestEndpoint] = []
    var number = 0
    var isStopping = false
    var isRunning = false
    var hasEnded = false
    var counts = RequestCounts()
  }

  private let configuration: Configuration
  private let server: FeatureServer
  private let clock: WallClock
  private let logger: Logger
  private let state = Monitor(State())

  package init(_ configuration: Configuration, server: FeatureServer, clock: WallClock = .system, logger: Logger) {
    self.configuration = configuration
    self.server = server
    self.clock = clock
    self.logger = logger
  }

  /// What became of the requests so far.
  package var counts: RequestCounts { state.change { $0.counts } }

  /// Answers these from now on; its thread begins with the first of them.
  package func follow(_ endpoints: [RequestEndpoint]) throws(HeadraceError) {
    let starts = state.change { state in
      guard endpoints != state.endpoints else { return false }
      state.endpoints = endpoints
      state.number += 1
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if starts { try BlockingThread.start(name: "requests") { self.run() } }
  }

  /// Ends behind the transaction that is under way.
  package func stop() async {
    let isRunning = state.change { state in
      state.isStopping = true
      return state.isRunning
    }
    guard isRunning else { return }
    let deadline = WallClock.monotonic.nowMilliseconds + Self.stopMilliseconds
    while !state.change({ $0.hasEnded }), WallClock.monotonic.nowMilliseconds < deadline {
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private static let stopMilliseconds: Int64 = 15_000
  private static let pollMilliseconds: Int32 = 100
  private static let pauseMilliseconds = 50

  private func run() {
    var failures = 0
    while true {
      let (endpoints, number, isStopping) = state.change { ($0.endpoints, $0.number, $0.isStopping) }
      guard !isStopping else { break }
      guard !endpoints.isEmpty else {
        Sleep.milliseconds(Self.pauseMilliseconds)
        continue
      }
      do {
        try session(endpoints, number)
        failures = 0
      } catch {
        failures += 1
        logger.warning("requests are read again from what is committed", metadata: ["error": "\(error)"])
        pause(milliseconds: min(100 << min(failures, 5), 3_000))
      }
    }
    state.change { $0.hasEnded = true }
  }

  private func pause(milliseconds: Int) {
    let end = WallClock.monotonic.nowMilliseconds + Int64(milliseconds)
    while WallClock.monotonic.nowMilliseconds < end, !state.change({ $0.isStopping }) { Sleep.milliseconds(10) }
  }

  /// One life of consumer and producer.
  private func session(_ endpoints: [RequestEndpoint], _ number: Int) throws {
    let group = "\(configuration.topology).requests"
    var producing = ProducerConfiguration(client: configuration.client)
    producing.lingerMilliseconds = 0
    var transaction = TransactionConfiguration(transactionalID: "\(group)-\(configuration.instance)")
    transaction.timeoutMilliseconds = configuration.transactionMilliseconds
    let producer = try TransactionalProducer(producing, transaction)
    defer { producer.close() }
    try producer.initialize(timeoutMilliseconds: configuration.transactionMilliseconds &* 3)
    var reading = ConsumerConfiguration(client: configuration.client, groupID: group)
    reading.batchRecordsMaximum = configuration.batchRecordsMax
    reading.outOfRange = .earliest
    let consumer = try Consumer(reading)
    defer { _ = try? consumer.close() }
    try consumer.subscribe(Set(endpoints.map(\.topics.topic)).sorted())
    let scoring = RequestScoring(
      server: server, endpoints: endpoints, clock: clock,
      answerBytesMax: Int(producing.recordBytesMaximum) - Self.headerBytes)
    var held: (request: RequestScoring.NotYet, sinceMilliseconds: Int64)?
    while state.change({ !$0.isStopping && $0.number == number }) {
      var answers = RequestAnswers()
      var waiting: RequestScoring.NotYet?
      do {
        try consumer.poll(timeoutMilliseconds: Self.pollMilliseconds) { batch in
          try scoring.answer(batch, into: &answers) { offset in
            guard let held, held.request.offset == offset, held.request.partition == batch.partition else {
              return true
            }
            return WallClock.monotonic.nowMilliseconds - held.sinceMilliseconds < configuration.holdMilliseconds
          }
        }
      } catch let notYet as RequestScoring.NotYet {
        waiting = notYet
      }
      if !answers.isEmpty { try commit(answers, producer, consumer) }
      guard let waiting else {
        held = nil
        continue
      }
      if held?.request.offset != waiting.offset || held?.request.partition != waiting.partition {
        held = (waiting, WallClock.monotonic.nowMilliseconds)
      }
      try consumer.seek(waiting.partition, to: waiting.offset)
      Sleep.milliseconds(Self.pauseMilliseconds)
    }
  }

  /// For headers and framing of an answer's record.
  private static let headerBytes = 8 << 10

  private func commit(
    _ answers: RequestAnswers, _ producer: TransactionalProducer, _ consumer: Consumer
  ) throws(HeadraceError) {
    let milliseconds = configuration.transactionMilliseconds
    try producer.begin()
    for batch in answers.outputs { try producer.send(batch) }
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(milliseconds)
    while true {
      do throws(HeadraceError) {
        try producer.sendOffsets(answers.offsets, group: consumer.groupMetadata(), timeoutMilliseconds: milliseconds)
        break
      } catch {
        guard error.retry == .sameCall, WallClock.monotonic.nowMilliseconds < deadline else { throw error }
      }
    }
    try producer.commit(timeoutMilliseconds: milliseconds)
    state.change { $0.counts += answers.counts }
  }
}
