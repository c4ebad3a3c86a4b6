package import Core
package import Kafka
package import Logging
internal import Synchronization
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

  private let configuration: Configuration
  private let server: FeatureServer
  private let clock: WallClock
  private let logger: Logger
  private let counted = Mutex(RequestCounts())
  private let followed = Followed<[RequestEndpoint]>()
  private let thread = SessionThread("requests")

  package init(_ configuration: Configuration, server: FeatureServer, clock: WallClock = .system, logger: Logger) {
    self.configuration = configuration
    self.server = server
    self.clock = clock
    self.logger = logger
  }

  /// What became of the requests so far.
  package var counts: RequestCounts { counted.withLock { $0 } }

  /// Answers these from now on; its thread begins with the first of them.
  package func follow(_ endpoints: [RequestEndpoint]) throws(HeadraceError) {
    guard endpoints != followed.value ?? [] else { return }
    followed.set(endpoints.isEmpty ? nil : endpoints)
    try thread.start { thread in
      thread.repeatSessions(
        following: self.followed,
        failed: { error, _ in
          self.logger.warning("requests are read again from what is committed", metadata: ["error": "\(error)"])
        }, session: self.session)
    }
  }

  /// Ends behind the transaction that is under way.
  package func stop() async { await thread.stop(timeoutMilliseconds: Self.stopMilliseconds) }

  private static let stopMilliseconds: Int64 = 15_000
  private static let pollMilliseconds: Int32 = 100
  private static let pauseMilliseconds: Int64 = 50

  /// One life of consumer and producer.
  private func session(_ endpoints: [RequestEndpoint], while goesOn: () -> Bool) throws {
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
    while goesOn() {
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
      thread.pause(milliseconds: Self.pauseMilliseconds)
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
    counted.withLock { $0 += answers.counts }
  }
}
