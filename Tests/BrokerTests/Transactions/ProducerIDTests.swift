import Core
import Testing

@testable import Broker

@Suite("Transactions: producer ids and epochs")
struct ProducerIDTests {
  private let p0 = TopicPartition(topic: "flights", partition: 0)

  @Test("Ids are reserved in the journal by the thousand, and never given out twice, also over restarts")
  func reservation() {
    let bench = TransactionHarness()
    var ids: [Int64] = []
    for round in 0..<4 {
      for _ in 0..<1_500 { ids.append(bench.initialize(nil)?.producerID ?? -1) }
      #expect(bench.journal.count == 2 * (round + 1))
      bench.restart()
    }
    #expect(Set(ids).count == 6_000)
    #expect(ids == ids.sorted() && ids[0] == 0)
    #expect(bench.initialize(nil)?.epoch == 0)
  }

  @Test("A refused reservation does not lead past it")
  func refusedReservation() {
    let bench = TransactionHarness()
    bench.isJournalRefusing = true
    for _ in 0..<3 { #expect(bench.initialize(nil)?.error == .coordinatorNotAvailable) }
    bench.isJournalRefusing = false
    let id = bench.initialize(nil)?.producerID ?? -1
    #expect(bench.transactions.reservedProducerIDsEnd > id)
  }

  @Test("Requests that make no sense")
  func validation() {
    let bench = TransactionHarness()
    #expect(bench.initialize("")?.error == .invalidRequest)
    #expect(bench.initialize(timeout: 900_001)?.error == .invalidTransactionTimeout)
    #expect(bench.initialize(timeout: 0)?.error == .invalidTransactionTimeout)
    #expect(bench.initialize(timeout: 900_000)?.error == ErrorCode.none)
    #expect(bench.initialize(producerID: 99, epoch: 0)?.error == .producerFenced)
  }

  @Test("A new instance of the same transactional id keeps the producer id and bumps the epoch")
  func newInstance() throws {
    let bench = TransactionHarness()
    let first = try bench.makeProducer()
    let second = try bench.makeProducer()
    #expect(first.producerID == second.producerID)
    #expect([first.epoch, second.epoch] == [0, 1])
    bench.restart()
    #expect(try bench.makeProducer().epoch == 2)
  }

  @Test("An open transaction of the earlier instance is aborted first, with an epoch that nobody is given")
  func openTransaction() throws {
    let bench = TransactionHarness()
    let first = try bench.makeProducer()
    _ = bench.add([p0], first)
    bench.holdsMarkers = true
    #expect(bench.initialize()?.error == .concurrentTransactions)
    #expect(bench.state() == .prepareAbort)
    #expect(bench.initialize()?.error == .concurrentTransactions)
    #expect(bench.ended(bench.end(true, first)) == .producerFenced)
    bench.writeHeldMarkers()
    #expect(bench.markers == [.init(partition: p0, producerID: first.producerID, epoch: 1, isCommitted: false)])
    #expect(bench.initialize()?.epoch == 2)
  }

  @Test("KIP-360: a producer that names its id and epoch goes on; a repeated request gets the same answer")
  func recovery() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    let bumped = try #require(bench.initialize(producerID: producer.producerID, epoch: 0))
    #expect(bumped.epoch == 1)
    #expect(bench.initialize(producerID: producer.producerID, epoch: 0) == bumped, "the answer was lost")
    bench.restart()
    #expect(bench.initialize(producerID: producer.producerID, epoch: 0) == bumped, "also over a restart")
    #expect(bench.initialize(producerID: producer.producerID, epoch: 1)?.epoch == 2)
    #expect(bench.initialize(producerID: producer.producerID, epoch: 0)?.error == .producerFenced)
    #expect(bench.initialize(producerID: producer.producerID, epoch: 7)?.error == .producerFenced)
    #expect(bench.initialize()?.epoch == 3)
    #expect(
      bench.initialize(producerID: producer.producerID, epoch: 2)?.error == .producerFenced,
      "another instance came in between")
  }

  @Test("A producer that recovers in the middle of its transaction has it aborted, asks again, and goes on")
  func recoveryWithOpenTransaction() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    _ = bench.add([p0], producer)
    #expect(bench.initialize(producerID: producer.producerID, epoch: 0)?.error == .concurrentTransactions)
    #expect(bench.state() == .completeAbort)
    bench.restart()
    let again = try #require(bench.initialize(producerID: producer.producerID, epoch: 0))
    #expect(again.error == .none)
    #expect(again.epoch == 1)
    #expect(bench.ended(bench.end(false, producer)) == .producerFenced)
  }

  @Test("A zombie that tries to recover does not end the present instance's transaction")
  func zombieRecovery() throws {
    let bench = TransactionHarness()
    let zombie = try bench.makeProducer()
    let present = try bench.makeProducer()
    _ = bench.add([p0], present)
    #expect(bench.initialize(producerID: zombie.producerID, epoch: zombie.epoch)?.error == .producerFenced)
    #expect(bench.state() == .ongoing)
    #expect(bench.ended(bench.end(true, present)) == ErrorCode.none)
  }

  /// A transactional id whose epoch has come to `epoch`.
  private func makeBench(epoch: Int16) throws -> (TransactionHarness, TransactionalProducer) {
    let bench = TransactionHarness()
    var producer = try bench.makeProducer()
    bench.transactions.apply(
      .initialized(
        TransactionEvent.Initialization(
          transactionalID: "app", producerID: producer.producerID, epoch: epoch, lastProducerID: -1, lastEpoch: -1,
          timeoutMilliseconds: 60_000, milliseconds: bench.nowMilliseconds)))
    producer.epoch = epoch
    return (bench, producer)
  }

  @Test("When the epochs are used up a new producer id follows, with and without KIP-360")
  func exhaustion() throws {
    let (bench, producer) = try makeBench(epoch: Int16.max - 2)
    let last = try #require(bench.initialize())
    #expect(last.epoch == Int16.max - 1)
    #expect(last.producerID == producer.producerID)
    let next = try #require(bench.initialize())
    #expect(next.epoch == 0)
    #expect(next.producerID != producer.producerID)
    #expect(bench.mayProduce(p0, producer) == .invalidProducerIdMapping)

    let (other, old) = try makeBench(epoch: Int16.max - 1)
    let rotated = try #require(other.initialize(producerID: old.producerID, epoch: Int16.max - 1))
    #expect(rotated.epoch == 0)
    #expect(other.initialize(producerID: old.producerID, epoch: Int16.max - 1) == rotated, "the answer was lost")
    #expect(other.initialize(producerID: old.producerID, epoch: 5)?.error == .producerFenced)
    #expect(other.initialize(producerID: rotated.producerID, epoch: 0)?.epoch == 1)
    #expect(other.initialize(producerID: old.producerID, epoch: Int16.max - 1)?.error == .producerFenced)
  }

  @Test("The holder of the last epoch can be fenced, by a new instance, a time-out, or itself")
  func fencingTheLastEpoch() throws {
    for way in 0..<3 {
      let (bench, producer) = try makeBench(epoch: Int16.max - 1)
      _ = bench.add([p0], producer)
      switch way {
      case 0: #expect(bench.initialize()?.error == .concurrentTransactions)
      case 1: bench.advance(by: 60_000)
      default:
        #expect(
          bench.initialize(producerID: producer.producerID, epoch: producer.epoch)?.error
            == .concurrentTransactions)
      }
      #expect(bench.markers.last?.epoch == .max)
      #expect(bench.add([p0], producer) == .producerFenced)
      let next = try #require(
        way == 2 ? bench.initialize(producerID: producer.producerID, epoch: producer.epoch) : bench.initialize())
      #expect(next.error == .none)
      #expect(next.epoch == 0)
      #expect(next.producerID != producer.producerID)
    }
  }
}
