import Codecs
import NIOCore
import Testing

@testable import Broker

@Suite("Partition log")
struct PartitionLogTests {
  @Test func appendedBatchesAreReadBack() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    #expect(try log.append(TestBatch.values(["a", "b"])).baseOffset == 0)
    #expect(try log.append(TestBatch.values(["c"], codec: .zstd)).baseOffset == 2)
    #expect(log.logEndOffset == 3)
    let batches = try log.allBatches(from: 1)
    #expect(batches.map(\.header.baseOffset) == [0, 2])
    #expect(batches.flatMap(\.records).map { $0.value.map { String(decoding: $0, as: UTF8.self) } } == ["a", "b", "c"])
    #expect(throws: LogError.offsetOutOfRange(offset: 4, available: 0...3)) { try log.batches(from: 4) }
  }

  @Test func transactionsMoveTheLastStableOffset() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["plain"]))
    try log.append(TestBatch.values(["x"], producerID: 7, epoch: 0, sequence: 0, transactional: true))
    try log.append(TestBatch.values(["y"], producerID: 8, epoch: 0, sequence: 0, transactional: true))
    #expect(log.lastStableOffset == 1)
    #expect(try log.allBatches(from: 0, isolation: .lastStable).count == 1)
    try log.append(
      TransactionMarker(producerID: 7, producerEpoch: 0, kind: .abort, coordinatorEpoch: 0), nowMilliseconds: 1_000)
    #expect(log.lastStableOffset == 2)
    try log.append(
      TransactionMarker(producerID: 8, producerEpoch: 0, kind: .commit, coordinatorEpoch: 0), nowMilliseconds: 1_000)
    #expect(log.lastStableOffset == 5)
    let aborted = log.abortedTransactions(from: 0, upTo: 5)
    #expect(aborted.map(\.producerID) == [7])
    #expect(aborted.map(\.firstOffset) == [1])
    #expect(aborted.map(\.lastOffset) == [3])
  }

  @Test(arguments: [true, false])
  func reopeningKeepsEverything(clean: Bool) throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["a"], producerID: 7, epoch: 0, sequence: 0))
    try log.append(TestBatch.values(["b"], producerID: 8, epoch: 1, sequence: 5, transactional: true))
    if clean { try log.close() }
    let again = try PartitionLog.open(folder)
    #expect(again.recovery.wasClean == clean)
    #expect(again.logEndOffset == 2)
    #expect(again.lastStableOffset == 1)
    #expect(again.producers == log.producers)
    let duplicate = try again.append(TestBatch.values(["a"], producerID: 7, epoch: 0, sequence: 0))
    #expect(duplicate.isDuplicate && duplicate.baseOffset == 0)
    #expect(throws: LogError.producer(.outOfOrderSequence(producerID: 7, expected: 1, found: 2))) {
      try again.append(TestBatch.values(["a"], producerID: 7, epoch: 0, sequence: 2))
    }
  }
}
