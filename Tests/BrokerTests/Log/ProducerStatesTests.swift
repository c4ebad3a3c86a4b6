import Core
import Testing

@testable import Broker

@Suite("Producers of a partition")
struct ProducerStatesTests {
  private func header(
    _ sequence: Int32, count: Int32 = 1, id: Int64 = 5, epoch: Int16 = 0, offset: Int64 = 0, transactional: Bool = false
  ) -> RecordBatchHeader {
    var header = RecordBatchHeader()
    header.baseOffset = offset
    header.producerID = id
    header.producerEpoch = epoch
    header.baseSequence = sequence
    header.recordCount = count
    header.lastOffsetDelta = count - 1
    if transactional { header.attributes.insert(.transactional) }
    return header
  }

  @Test func sequencesWrapToZero() throws {
    var states = ProducerStates()
    states.apply(header(.max - 1, count: 5), nowMilliseconds: 0)
    #expect(states[5]?.lastSequence == 2)
    #expect(try states.decide(header(3)) == .append)
    states.apply(header(3, count: 1), nowMilliseconds: 0)
    var atEnd = ProducerStates()
    atEnd.apply(header(.max), nowMilliseconds: 0)
    #expect(try atEnd.decide(header(0)) == .append)
    #expect(throws: ProducerError.outOfOrderSequence(producerID: 5, expected: 0, found: 1)) {
      try atEnd.decide(header(1))
    }
  }

  @Test func fiveBatchesAreRemembered() throws {
    var states = ProducerStates()
    for sequence in 0..<7 { states.apply(header(Int32(sequence), offset: Int64(sequence)), nowMilliseconds: 0) }
    for sequence in 2..<7 {
      guard case .duplicate(let batch) = try states.decide(header(Int32(sequence))) else {
        Issue.record("sequence \(sequence) was forgotten")
        continue
      }
      #expect(batch.firstOffset == Int64(sequence))
    }
    #expect(throws: ProducerError.self) { try states.decide(header(1)) }
    // The same first sequence with another length is another batch.
    #expect(throws: ProducerError.self) { try states.decide(header(5, count: 2)) }
  }

  @Test func epochsFence() throws {
    var states = ProducerStates()
    #expect(try states.decide(header(57)) == .append)
    states.apply(header(57, epoch: 3), nowMilliseconds: 0)
    #expect(throws: ProducerError.invalidEpoch(producerID: 5, current: 3, found: 2)) {
      try states.decide(header(58, epoch: 2))
    }
    #expect(throws: ProducerError.self) { try states.decide(header(58, epoch: 4)) }
    #expect(try states.decide(header(0, epoch: 4)) == .append)
    let zombie = TransactionMarker(producerID: 5, producerEpoch: 2, kind: .abort, coordinatorEpoch: 0)
    #expect(throws: ProducerError.invalidEpoch(producerID: 5, current: 3, found: 2)) { try states.decide(zombie) }
    states.apply(
      TransactionMarker(producerID: 5, producerEpoch: 3, kind: .commit, coordinatorEpoch: 9), nowMilliseconds: 0)
    let old = TransactionMarker(producerID: 5, producerEpoch: 3, kind: .abort, coordinatorEpoch: 8)
    #expect(throws: ProducerError.coordinatorFenced(producerID: 5, current: 9, found: 8)) { try states.decide(old) }
  }

  @Test func anOpenTransactionTakesNoPlainBatch() throws {
    var states = ProducerStates()
    states.apply(header(0, offset: 10, transactional: true), nowMilliseconds: 0)
    #expect(states.firstOpenOffset == 10)
    #expect(states.hasOpenTransaction(producerID: 5, producerEpoch: 0))
    #expect(states.hasOpenTransaction(producerID: 5, producerEpoch: 1))
    #expect(!states.hasOpenTransaction(producerID: 5, producerEpoch: -1))
    #expect(throws: ProducerError.transactionOpen(producerID: 5)) { try states.decide(header(1)) }
    #expect(states.expire(idleMilliseconds: 1, nowMilliseconds: 1_000_000) == 0)
    let marker = TransactionMarker(producerID: 5, producerEpoch: 1, kind: .abort, coordinatorEpoch: 0)
    #expect(states.apply(marker, nowMilliseconds: 0) == 10)
    #expect(states.firstOpenOffset == nil)
    // The marker's epoch is new: sequences start again.
    #expect(try states.decide(header(0, epoch: 1)) == .append)
    #expect(states.apply(marker, nowMilliseconds: 0) == nil)
    #expect(states.expire(idleMilliseconds: 1, nowMilliseconds: 1_000_000) == 1)
    #expect(try states.decide(header(57)) == .append)
  }

  @Test func snapshotsKeepEverything() throws {
    var states = ProducerStates()
    for id in 0..<20 {
      for sequence in 0..<Int32(id) {
        states.apply(
          header(
            sequence, id: Int64(id), epoch: 2, offset: Int64(id * 100) + Int64(sequence), transactional: id % 3 == 0),
          nowMilliseconds: Int64(id))
      }
    }
    states.apply(
      TransactionMarker(producerID: 3, producerEpoch: 4, kind: .commit, coordinatorEpoch: 1), nowMilliseconds: 9)
    let encoded = states.encoded()
    #expect(ProducerStates(encoded: encoded) == states)
    for length in 0..<encoded.count { #expect(ProducerStates(encoded: Array(encoded[..<length])) == nil) }
    var random = SplitMix64(seed: 3)
    for _ in 0..<2_000 {
      var damaged = encoded
      damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = ProducerStates(encoded: damaged)
    }
  }
}
