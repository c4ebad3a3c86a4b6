import Core
import Testing

@testable import Broker

@Suite("Transactions: begin, commit, abort")
struct TransactionTests {
  private let p0 = TopicPartition(topic: "flights", partition: 0)
  private let p1 = TopicPartition(topic: "flights", partition: 1)

  @Test("Commit: the outcome is durable before a marker is written, the answer comes with completion")
  func commit() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    #expect(producer.epoch == 0)
    #expect(bench.mayProduce(p0, producer) == .invalidTxnState)
    #expect(bench.add([p1, p0], producer) == ErrorCode.none)
    #expect(bench.state() == .ongoing)
    #expect(bench.mayProduce(p0, producer) == ErrorCode.none)
    #expect(bench.add(group: "g", producer) == ErrorCode.none)
    #expect(bench.stage([p0: 17], producer) == ErrorCode.none)
    bench.holdsMarkers = true
    let end = bench.end(true, producer)
    #expect(bench.state() == .prepareCommit)
    #expect(bench.ended(end) == nil)
    #expect(bench.heldMarkers.first?.partitions == [p0, p1])
    #expect(bench.heldMarkers.first?.groups == ["g"])
    #expect(bench.offset(p0) == -1)
    // Everything else has to wait.
    #expect(bench.mayProduce(p0, producer) == .invalidTxnState)
    #expect(bench.add([p0], producer) == .concurrentTransactions)
    #expect(bench.add(group: "g", producer) == .concurrentTransactions)
    #expect(bench.stage([p0: 18], producer) == .concurrentTransactions)
    #expect(bench.ended(bench.end(true, producer)) == .concurrentTransactions)
    #expect(bench.ended(bench.end(false, producer)) == .invalidTxnState)
    #expect(bench.initialize()?.error == .concurrentTransactions)
    bench.writeHeldMarkers()
    #expect(bench.ended(end) == ErrorCode.none)
    #expect(bench.state() == .completeCommit)
    #expect(bench.offset(p0) == 17)
    #expect(bench.markers.map(\.isCommitted) == [true, true])
    #expect(bench.markers.map(\.epoch) == [0, 0])
    // The answer may have been lost.
    #expect(bench.ended(bench.end(true, producer)) == ErrorCode.none)
    #expect(bench.ended(bench.end(false, producer)) == .invalidTxnState)
    #expect(bench.markers.count == 2)
    // Partitions have to be added again.
    #expect(bench.mayProduce(p0, producer) == .invalidTxnState)
    #expect(bench.add([p0], producer) == ErrorCode.none)
    #expect(bench.transactions.transactions["app"]?.partitions == [p0])
    #expect(bench.faults.isEmpty && bench.waiting.isEmpty)
  }

  @Test("Abort: staged offsets vanish; the other verb is refused afterwards")
  func abort() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    _ = bench.add([p0], producer)
    _ = bench.add(group: "g", producer)
    _ = bench.stage([p0: 17], producer)
    #expect(bench.ended(bench.end(false, producer)) == ErrorCode.none)
    #expect(bench.state() == .completeAbort)
    #expect(bench.offset(p0) == -1)
    #expect(bench.ended(bench.end(false, producer)) == ErrorCode.none)
    #expect(bench.ended(bench.end(true, producer)) == .invalidTxnState)
    #expect(bench.groups.fetchOffsets(of: "g", [p0], requireStable: true).first?.error == ErrorCode.none)
  }

  @Test("A transaction that was never begun cannot end")
  func endWithoutBegin() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    #expect(bench.ended(bench.end(true, producer)) == .invalidTxnState)
    #expect(bench.ended(bench.end(false, producer)) == .invalidTxnState)
  }

  @Test("Offsets alone make a transaction; only groups that were added may stage")
  func offsetsOnly() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    #expect(bench.stage([p0: 1], producer) == .invalidTxnState)
    #expect(bench.add(group: "g", producer) == ErrorCode.none)
    #expect(bench.add(group: "", producer) == .invalidGroupId)
    #expect(bench.stage([p0: 1], group: "h", producer) == .invalidTxnState)
    #expect(bench.stage([p0: 1], producer) == ErrorCode.none)
    #expect(bench.ended(bench.end(true, producer)) == ErrorCode.none)
    #expect(bench.offset(p0) == 1)
    #expect(bench.markers.isEmpty)
    #expect(bench.stage([p0: 2], producer) == .invalidTxnState)
  }

  @Test("What is in the transaction already is not journaled again")
  func repeatedAdds() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    _ = bench.add([p0, p0], producer)
    _ = bench.add(group: "g", producer)
    let events = bench.journal.count
    #expect(bench.add([p0], producer) == ErrorCode.none)
    #expect(bench.add(group: "g", producer) == ErrorCode.none)
    #expect(bench.journal.count == events)
    #expect(bench.add([p0, p1], producer) == ErrorCode.none)
    #expect(bench.journal.count == events + 1)
  }

  @Test("Codes of a wrong producer, by version: PRODUCER_FENCED came late")
  func errorCodes() throws {
    let bench = TransactionHarness()
    let old = try bench.makeProducer()
    let new = try bench.makeProducer()
    #expect(new.producerID == old.producerID && new.epoch == 1)
    for (version, expected) in [(1, ErrorCode.invalidProducerEpoch), (2, .producerFenced)] as [(Int16, ErrorCode)] {
      var zombie = old
      zombie.apiVersion = version
      #expect(bench.add([p0], zombie) == expected)
      #expect(bench.add(group: "g", zombie) == expected)
      #expect(bench.ended(bench.end(true, zombie)) == expected)
      #expect(bench.stage([p0: 1], zombie) == .invalidProducerEpoch, "TxnOffsetCommit never says PRODUCER_FENCED")
    }
    #expect(bench.mayProduce(p0, old) == .invalidProducerEpoch)
    let held = bench.initialize(version: 3, producerID: old.producerID, epoch: old.epoch)
    #expect(held?.error == .invalidProducerEpoch)
    #expect(
      bench.initialize(version: 4, producerID: old.producerID, epoch: old.epoch)?.error == .producerFenced)

    var stranger = new
    stranger.producerID = 4_711
    #expect(bench.add([p0], stranger) == .invalidProducerIdMapping)
    #expect(bench.add(group: "g", stranger) == .invalidProducerIdMapping)
    #expect(bench.stage([p0: 1], stranger) == .invalidProducerIdMapping)
    #expect(bench.ended(bench.end(true, stranger)) == .invalidProducerIdMapping)
    #expect(bench.mayProduce(p0, stranger) == .invalidProducerIdMapping)
    stranger.transactionalID = "unknown"
    #expect(bench.add([p0], stranger) == .invalidProducerIdMapping)
    stranger.transactionalID = ""
    #expect(bench.add([p0], stranger) == .invalidRequest)
    #expect(bench.ended(bench.end(true, stranger)) == .invalidRequest)
  }

  @Test("Time-out: aborted with a new epoch, so the slow producer is fenced in every way")
  func timeout() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer(timeout: 10_000)
    bench.advance(by: 60_000)
    _ = bench.add([p0], producer)
    _ = bench.add(group: "g", producer)
    _ = bench.stage([p0: 1], producer)
    bench.advance(by: 9_999)
    #expect(bench.state() == .ongoing)
    bench.advance(by: 1)
    #expect(bench.state() == .completeAbort)
    #expect(bench.markers == [.init(partition: p0, producerID: producer.producerID, epoch: 1, isCommitted: false)])
    #expect(bench.offset(p0) == -1)
    #expect(bench.ended(bench.end(true, producer)) == .producerFenced)
    #expect(bench.ended(bench.end(false, producer)) == .producerFenced)
    #expect(bench.mayProduce(p0, producer) == .invalidProducerEpoch)
    let recovery = bench.initialize(producerID: producer.producerID, epoch: producer.epoch)
    #expect(recovery?.error == .producerFenced)
    #expect(bench.initialize()?.epoch == 2)
  }

  @Test("A transaction's time runs from its own begin, not from an earlier one's")
  func timeoutOfSecondTransaction() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer(timeout: 10_000)
    for _ in 0..<5 {
      _ = bench.add([p0], producer)
      bench.advance(by: 9_000)
      #expect(bench.ended(bench.end(true, producer)) == ErrorCode.none)
    }
    _ = bench.add([p0], producer)
    bench.advance(by: 10_000)
    #expect(bench.state() == .completeAbort)
  }

  @Test("A full disk: what is not durable has not happened, and a decided transaction is finished later")
  func fullDisk() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer(timeout: 10_000)
    bench.isJournalRefusing = true
    #expect(bench.add([p0], producer) == .coordinatorNotAvailable)
    #expect(bench.state() == .empty)
    #expect(bench.initialize()?.error == .coordinatorNotAvailable)
    #expect(bench.transactions.transactions["app"]?.epoch == producer.epoch)
    #expect(bench.initialize(nil)?.error == ErrorCode.none, "its ids are reserved already")
    bench.isJournalRefusing = false
    _ = bench.add([p0], producer)
    _ = bench.add(group: "g", producer)
    _ = bench.stage([p0: 5], producer)
    bench.isJournalRefusing = true
    #expect(bench.ended(bench.end(true, producer)) == .coordinatorNotAvailable)
    #expect(bench.state() == .ongoing)
    #expect(bench.markers.isEmpty)
    // Full between the decision and its completion.
    bench.isJournalRefusing = false
    bench.holdsMarkers = true
    let end = bench.end(true, producer)
    bench.isJournalRefusing = true
    bench.writeHeldMarkers()
    #expect(bench.ended(end) == .coordinatorNotAvailable)
    #expect(bench.state() == .prepareCommit)
    bench.isJournalRefusing = false
    bench.holdsMarkers = false
    #expect(bench.ended(bench.end(true, producer)) == .concurrentTransactions)
    bench.finishDecided()
    #expect(bench.ended(bench.end(true, producer)) == ErrorCode.none)
    #expect(bench.offset(p0) == 5)
    // A time-out that cannot be journaled is tried again.
    _ = bench.add([p0], producer)
    bench.isJournalRefusing = true
    bench.settle(bench.transactions.advance(nowMilliseconds: bench.nowMilliseconds + 10_000))
    #expect(bench.state() == .ongoing)
    bench.isJournalRefusing = false
    bench.advance(by: 10_001)
    #expect(bench.state() == .completeAbort)
    #expect(bench.faults.isEmpty && bench.waiting.isEmpty)
  }

  @Test("A late report of markers changes nothing")
  func lateMarkers() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    _ = bench.add([p0], producer)
    bench.holdsMarkers = true
    bench.end(true, producer)
    let held = bench.heldMarkers
    bench.writeHeldMarkers()
    _ = bench.add([p1], producer)
    for decided in held {
      var again = decided
      again.token = nil
      bench.settle(bench.transactions.markersWritten(again, nowMilliseconds: bench.nowMilliseconds))
    }
    #expect(bench.state() == .ongoing)
    #expect(bench.transactions.transactions["app"]?.partitions == [p1])
  }

  @Test("An id that nobody used for a week is forgotten, but not while a transaction is open")
  func expiration() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer("old")
    let open = try bench.makeProducer("open")
    bench.advance(by: 3 * 86_400_000)
    _ = try bench.makeProducer("young")
    bench.holdsMarkers = true
    _ = bench.add([p0], open)
    _ = bench.end(true, open)
    bench.advance(by: 4 * 86_400_000 + 3_600_000)
    #expect(bench.transactions.listTransactions().map(\.transactionalID) == ["open", "young"])
    bench.advance(by: 30 * 86_400_000)
    #expect(bench.transactions.listTransactions().map(\.transactionalID) == ["open"])
    #expect(bench.add([p0], producer) == .invalidProducerIdMapping)
    #expect(bench.mayProduce(p0, producer) == .invalidProducerIdMapping)
    let back = try bench.makeProducer("old")
    #expect(back.producerID != producer.producerID)
  }
}
