import Core
import Testing

@testable import Broker

/// Instances of a few transactional ids, most of them zombies, in an order that a seed decides; the broker restarts,
/// its disk fills up, markers fail, and time jumps.
@Suite("Transactions: random interleavings")
struct TransactionInterleavingTests {
  @Test("One holder at a time, one outcome for each transaction, nothing left open", arguments: 0..<60 as Range<UInt64>)
  func holders(_ seed: UInt64) {
    var scenario = TransactionScenario(seed: seed)
    for step in 0..<500 where scenario.faults.isEmpty {
      scenario.step()
      if step % 50 == 0 { scenario.checkJournal() }
    }
    scenario.finish()
    #expect(scenario.faults.isEmpty)
  }
}

private struct TransactionScenario {
  /// One process; `serial` tells its transactions apart.
  private struct Instance {
    var producer: TransactionalProducer
    var serial = 0
    var isOpen = false
    var endToken: ReplyToken?
    var verb = false
  }

  private struct Record {
    var partition: TopicPartition
    var producerID: Int64
    var serial: Int
    var isCommitted: Bool?
  }

  private let seed: UInt64
  private var random: ScenarioRandom
  private let bench = TransactionHarness()
  private let log: NaiveLog
  private var instances: [Instance] = []
  /// The epoch that `initProducerID` gave last, by transactional id.
  private var holders: [String: (producerID: Int64, epoch: Int16)] = [:]
  private var serials = 0
  private(set) var faults: [String] = []

  /// The records of all partitions, and what the markers made of them.
  private final class NaiveLog {
    var records: [Record] = []
    /// The value that each transaction staged, by serial; one partition for each transactional id.
    var staged: [Int: Int64] = [:]
  }

  private static let partitions = (0..<4).map { TopicPartition(topic: "flights", partition: $0) }

  init(seed: UInt64) {
    self.seed = seed
    random = ScenarioRandom(seed: seed)
    let log = NaiveLog()
    self.log = log
    bench.onMarkers = { markers in
      for index in log.records.indices
      where log.records[index].producerID == markers.producerID && log.records[index].isCommitted == nil
        && markers.partitions.contains(log.records[index].partition)
      {
        log.records[index].isCommitted = markers.isCommitted
      }
    }
  }

  private mutating func fault(_ text: String) { faults.append("seed \(seed): \(text)") }

  mutating func step() {
    switch random.below(120) {
    case 0: bench.advance(by: Int64(random.below(70_000)))
    case 1..<6: bench.advance(by: Int64(random.below(3_000)))
    case 6: bench.isJournalRefusing = true
    case 7: bench.failsMarkers = true
    case 8 where random.chance(1, in: 3): restart()
    case 9..<14: initialize()
    default:
      let chosen = instances.indices.filter { random.chance(1, in: 4) || isHolder(instances[$0].producer) }
      if let index = random.pick(chosen) { act(index) }
    }
    if bench.isJournalRefusing, random.chance(1, in: 4) {
      bench.isJournalRefusing = false
      bench.finishDecided()
    }
    if bench.failsMarkers, random.chance(1, in: 4) {
      bench.failsMarkers = false
      bench.finishDecided()
    }
    hearEnds()
    checkOutcomes()
    for fault in bench.faults { self.fault(fault) }
  }

  private mutating func initialize() {
    let id = random.pick(["a", "b"]) ?? "a"
    let known = instances.filter { $0.producer.transactionalID == id }
    let resuming = random.chance(1, in: 2) ? random.pick(known)?.producer : nil
    let before = holders[id]
    guard
      let reply = bench.initialize(
        id, timeout: Int64(5_000 + random.below(3) * 20_000), producerID: resuming?.producerID ?? -1,
        epoch: resuming?.epoch ?? -1)
    else { return fault("InitProducerId was not answered") }
    guard reply.error == ErrorCode.none else { return }
    if let before {
      let isNewer = (before.producerID, before.epoch) < (reply.producerID, reply.epoch)
      // The same again only for the one who asked for it before.
      let isRepeated = before == (reply.producerID, reply.epoch) && resuming != nil
      if !isNewer && !isRepeated { fault("\(id) was given \(reply) after \(before)") }
      if isRepeated {
        instances.removeAll { $0.producer.producerID == reply.producerID && $0.producer.epoch == reply.epoch }
      }
    }
    holders[id] = (reply.producerID, reply.epoch)
    instances.append(
      Instance(
        producer: TransactionalProducer(
          apiVersion: 3, transactionalID: id, producerID: reply.producerID, epoch: reply.epoch)))
    if instances.count > 8 { instances.removeFirst() }
  }

  private func isHolder(_ producer: TransactionalProducer) -> Bool {
    holders[producer.transactionalID].map { $0 == (producer.producerID, producer.epoch) } ?? false
  }

  private mutating func act(_ index: Int) {
    let instance = instances[index]
    let producer = instance.producer
    guard instance.endToken == nil else { return }
    if !instance.isOpen {
      serials += 1
      instances[index].serial = serials
      instances[index].isOpen = true
    }
    let serial = instances[index].serial
    let partition = random.pick(Self.partitions) ?? Self.partitions[0]
    switch random.below(12) {
    case 0..<2:
      check(
        bench.add(Self.partitions.filter { _ in random.chance(1, in: 2) }, producer), producer, "AddPartitionsToTxn")
    case 2..<8:
      let error = bench.mayProduce(partition, producer)
      check(error, producer, "Produce")
      if error == ErrorCode.none {
        log.records.append(Record(partition: partition, producerID: producer.producerID, serial: serial))
      }
    case 8..<10:
      check(bench.add(group: producer.transactionalID, producer), producer, "AddOffsetsToTxn")
      let error = bench.stage([Self.partitions[0]: Int64(serial)], group: producer.transactionalID, producer)
      check(error, producer, "TxnOffsetCommit")
      if error == ErrorCode.none { log.staged[serial] = Int64(serial) }
    default:
      let verb = random.chance(2, in: 3)
      instances[index].verb = verb
      instances[index].endToken = bench.end(verb, producer)
    }
  }

  private mutating func check(_ error: ErrorCode?, _ producer: TransactionalProducer, _ request: String) {
    if error == ErrorCode.none, !isHolder(producer) { fault("\(request) of a zombie \(producer) succeeded") }
  }

  private mutating func hearEnds() {
    for index in instances.indices {
      guard let token = instances[index].endToken, let error = bench.ended(token) else { continue }
      let instance = instances[index]
      instances[index].endToken = nil
      switch error {
      case .none:
        instances[index].isOpen = false
        let outcomes = Set(log.records.filter { $0.serial == instance.serial }.map(\.isCommitted))
        if !outcomes.subtracting([instance.verb]).isEmpty {
          fault("EndTxn(\(instance.verb)) of \(instance.producer) was acknowledged, and its records are \(outcomes)")
        }
        if log.staged[instance.serial] != nil, instance.verb,
          bench.offset(Self.partitions[0], group: instance.producer.transactionalID) < Int64(instance.serial)
        {
          fault("the offset of acknowledged transaction \(instance.serial) is not there")
        }
      case .coordinatorNotAvailable, .concurrentTransactions:
        // Not known: the client asks the same again.
        instances[index].endToken = bench.end(instance.verb, instance.producer)
      default:
        instances[index].isOpen = false
      }
    }
  }

  private mutating func restart() {
    bench.isJournalRefusing = false
    bench.failsMarkers = false
    bench.restart()
    bench.finishDecided()
    for index in instances.indices where instances[index].endToken != nil {
      instances[index].endToken = bench.end(instances[index].verb, instances[index].producer)
    }
  }

  private mutating func checkOutcomes() {
    for (serial, records) in Dictionary(grouping: log.records.filter { $0.isCommitted != nil }, by: \.serial)
    where Set(records.map(\.isCommitted)).count > 1 {
      fault("transaction \(serial) has two outcomes")
    }
    let open = Set(log.records.filter { $0.isCommitted == nil }.map(\.producerID))
    for transaction in bench.transactions.listTransactions()
    where transaction.state.isIdle && open.contains(transaction.producerID) {
      fault("\(transaction.transactionalID) is idle, and a partition still waits for its marker")
    }
  }

  mutating func checkJournal() {
    let replayed = TransactionHarness(replaying: bench.journal, at: bench.nowMilliseconds)
    if replayed.transactions.snapshotEvents() != bench.transactions.snapshotEvents() {
      fault("the journal tells something else")
    }
    if replayed.groups.snapshotEvents() != bench.groups.snapshotEvents() { fault("the journal's groups differ") }
  }

  mutating func finish() {
    bench.isJournalRefusing = false
    bench.failsMarkers = false
    bench.finishDecided()
    bench.advance(by: 120_000)
    hearEnds()
    checkOutcomes()
    checkJournal()
    if !bench.waiting.isEmpty { fault("never answered: \(bench.waiting)") }
    if log.records.contains(where: { $0.isCommitted == nil }) { fault("a record has no outcome") }
    for transaction in bench.transactions.listTransactions()
    where !transaction.state.isIdle || !transaction.partitions.isEmpty {
      fault("\(transaction) is not over")
    }
    if bench.groups.offsets.groups.values.contains(where: { !$0.staged.isEmpty }) { fault("offsets stay staged") }
  }
}
