import Core
import Testing

@testable import Broker

@Suite("Transactions: recovery")
struct TransactionRecoveryTests {
  private let p0 = TopicPartition(topic: "flights", partition: 0)
  private let p1 = TopicPartition(topic: "flights", partition: 1)

  /// Commits, aborts, a fenced and a timed-out transaction, with offsets in two groups.
  private func makeJournal() throws -> (entries: [TransactionHarness.Entry], nowMilliseconds: Int64) {
    let bench = TransactionHarness()
    let a = try bench.makeProducer("a")
    let b = try bench.makeProducer("b", timeout: 5_000)
    _ = bench.initialize(nil)
    for round in 1...3 as ClosedRange<Int64> {
      _ = bench.add([p0, p1], a)
      _ = bench.add(group: "g", a)
      _ = bench.add(group: "h", a)
      _ = bench.add([p1], b)
      _ = bench.add(group: "g", b)
      _ = bench.stage([p0: 10 * round], a)
      _ = bench.stage([p1: 20 * round], group: "h", a)
      _ = bench.stage([p1: 30 * round], b)
      bench.end(round != 2, a)
      bench.end(round == 2, b)
      bench.nowMilliseconds += 100
    }
    _ = bench.add([p0], a)
    _ = bench.add(group: "g", a)
    _ = bench.stage([p0: 1_000], a)
    _ = bench.initialize("a")
    _ = bench.add([p1], b)
    _ = bench.add(group: "h", b)
    _ = bench.stage([p1: 2_000], group: "h", b)
    bench.advance(by: 5_000)
    #expect(bench.state("b") == .completeAbort)
    return (bench.journal, bench.nowMilliseconds)
  }

  /// What a journal promises: the offsets of every transaction whose commit is in it, and no others.
  private func promisedOffsets(_ entries: [TransactionHarness.Entry]) -> [String: Int64] {
    var idByProducer: [Int64: String] = [:]
    var staged: [String: [String: Int64]] = [:]
    var promised: [String: Int64] = [:]
    for entry in entries {
      switch entry {
      case .transaction(.initialized(let initialization)):
        idByProducer[initialization.producerID] = initialization.transactionalID
      case .group(.offsetsStaged(let groupID, let producerID, let offsets)):
        for offset in offsets {
          staged[idByProducer[producerID] ?? "", default: [:]]["\(groupID) \(offset.partition)"] =
            offset.committed.offset
        }
      case .transaction(.prepared(let transactionalID, let isCommitted, _, _, _)):
        let offsets = staged.removeValue(forKey: transactionalID) ?? [:]
        if isCommitted { promised.merge(offsets) { $1 } }
      default:
        break
      }
    }
    return promised
  }

  private func committedOffsets(_ bench: TransactionHarness) -> [String: Int64] {
    var committed: [String: Int64] = [:]
    for group in ["g", "h"] {
      for offset in bench.groups.fetchOffsets(of: group, nil, requireStable: false) {
        committed["\(group) \(offset.partition)"] = offset.offset
      }
    }
    return committed
  }

  @Test("Killed after any event: what was decided is finished, what was not is aborted in time, and nothing is between")
  func everyPrefix() throws {
    let (entries, now) = try makeJournal()
    #expect(entries.count > 40)
    for length in 0...entries.count {
      let prefix = Array(entries.prefix(length))
      let bench = TransactionHarness(replaying: prefix, at: now)
      bench.finishDecided()
      #expect(bench.transactions.transactionsToFinish().isEmpty, "after \(length) events")
      #expect(committedOffsets(bench) == promisedOffsets(prefix), "after \(length) events")
      // Finishing is itself interrupted, and started again.
      let again = TransactionHarness(replaying: bench.journal, at: now)
      again.finishDecided()
      #expect(again.journal == bench.journal, "nothing is left to do twice")
      #expect(again.transactions.snapshotEvents() == bench.transactions.snapshotEvents())
      // The producers do not come back.
      bench.advance(by: 60_000)
      for transaction in bench.transactions.listTransactions() {
        #expect(transaction.state.isIdle && transaction.partitions.isEmpty && transaction.groups.isEmpty)
      }
      #expect(committedOffsets(bench) == promisedOffsets(prefix), "after \(length) events and the time-outs")
      #expect(bench.groups.offsets.groups.values.allSatisfy { $0.staged.isEmpty }, "after \(length) events")
      // Whoever comes next has an epoch of its own.
      for id in ["a", "b"] {
        let known = bench.transactions.transactions[id]
        let next = try #require(bench.initialize(id))
        #expect(next.error == .none)
        if let known { #expect(next.epoch == known.epoch + 1 && next.producerID == known.producerID) }
      }
    }
  }

  @Test("Killed between markers: those that were written are written again, harmlessly, and the rest follows")
  func betweenMarkers() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer()
    _ = bench.add([p0, p1], producer)
    _ = bench.add(group: "g", producer)
    _ = bench.stage([p0: 9], producer)
    bench.holdsMarkers = true
    bench.end(true, producer)
    bench.restart()
    bench.holdsMarkers = false
    let toFinish = bench.transactions.transactionsToFinish()
    #expect(toFinish.map(\.partitions) == [[p0, p1]])
    #expect(toFinish.map(\.isCommitted) == [true])
    #expect(toFinish.first?.token == nil)
    bench.finishDecided()
    #expect(bench.state() == .completeCommit)
    #expect(bench.offset(p0) == 9)
    #expect(bench.ended(bench.end(true, producer)) == ErrorCode.none, "the retry of the one that got no answer")
  }

  @Test("An open transaction keeps the rest of its time over a restart")
  func remainingTimeout() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer(timeout: 10_000)
    _ = bench.add([p0], producer)
    bench.advance(by: 6_000)
    bench.restart()
    bench.advance(by: 3_999)
    #expect(bench.mayProduce(p0, producer) == ErrorCode.none)
    bench.advance(by: 1)
    #expect(bench.state() == .completeAbort)
    #expect(bench.mayProduce(p0, producer) == .invalidProducerEpoch)
  }

  @Test("A transaction that ran out while the broker was down is aborted at once")
  func timeoutWhileDown() throws {
    let bench = TransactionHarness()
    let producer = try bench.makeProducer(timeout: 10_000)
    _ = bench.add([p0], producer)
    bench.nowMilliseconds += 3_600_000
    bench.restart()
    bench.advance(by: 0)
    #expect(bench.state() == .completeAbort)
  }

  @Test("A compacted journal tells the same, in every state")
  func snapshot() throws {
    let (entries, _) = try makeJournal()
    for length in 0...entries.count {
      var live = TransactionCoordinator()
      for case .transaction(let event) in entries.prefix(length) { live.apply(event) }
      var restored = TransactionCoordinator()
      for event in live.snapshotEvents() {
        var encoder = JournalEncoder()
        event.encode(into: &encoder)
        var decoder = JournalDecoder(encoder.bytes)
        restored.apply(try TransactionEvent(decoding: &decoder))
      }
      #expect(restored.snapshotEvents() == live.snapshotEvents())
      #expect(restored.transactionsToFinish() == live.transactionsToFinish())
      #expect(restored.transactions == live.transactions)
      let open = live.transactions.values.compactMap(\.deadlineMilliseconds)
      #expect(restored.nextDeadlineMilliseconds <= open.min() ?? .max)
      #expect(live.snapshotEvents().count <= live.transactions.count + 1)
    }
  }
}
