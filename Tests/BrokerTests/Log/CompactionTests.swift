import Codecs
import Core
import Testing

@testable import Broker

@Suite("Compaction")
struct CompactionTests {
  private var configuration: LogConfiguration {
    var configuration = LogConfiguration()
    configuration.cleanupPolicy = .compact
    configuration.minCleanableDirtyRatio = 0
    configuration.deleteRetentionMilliseconds = 100
    configuration.segmentBytes = 300
    return configuration
  }

  private func fill(_ log: PartitionLog, _ range: Range<Int>, keys: Int, codec: CompressionCodec = .none) throws {
    for index in range {
      let record = TestRecord(
        timestamp: Int64(index), key: Array("k\(index % keys)".utf8), value: Array("v\(index)".utf8))
      try log.append(TestBatch.make([record], codec: codec))
    }
  }

  private func values(_ log: PartitionLog) throws -> [String] {
    let data = try log.allBatches(from: log.logStartOffset).filter { !$0.header.attributes.contains(.control) }
    return data.flatMap(\.records).compactMap { $0.value.map { String(decoding: $0, as: UTF8.self) } }
  }

  private func compact(_ log: PartitionLog, now: Int64 = 1_000) throws {
    if let job = log.compactionJob(nowMilliseconds: now) { try log.apply(job.run()) }
  }

  @Test func smallSegmentsGrowTogether() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try fill(log, 0..<60, keys: 3)
    let before = log.segmentCount
    try compact(log)
    #expect(log.segmentCount < before / 2)
    // The growing segment is not compacted.
    let growing = log.active.baseOffset
    #expect(try log.allBatches(from: 0).filter { $0.header.baseOffset < growing }.count == 3)
    #expect(Set(try values(log)).isSuperset(of: ["v57", "v58", "v59"]))
    // Offsets in the gaps lead to the next batch.
    #expect(try log.batches(from: 1).first?.header.baseOffset == growing - 3)
    #expect(log.compactionJob(nowMilliseconds: 1_000) == nil)
    let again = try PartitionLog.open(folder, configuration)
    #expect(try values(again) == values(log))
  }

  @Test func tombstonesGoAfterTheirTime() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try log.append(TestBatch.make([TestRecord(timestamp: 1, key: [1], value: [1])]))
    try log.append(
      TestBatch.make([TestRecord(timestamp: 2, key: [1], value: nil), TestRecord(timestamp: 2, key: [2], value: [9])]))
    func tombstones() throws -> Int {
      try log.allBatches(from: 0).flatMap(\.records).filter { $0.value == nil }.count
    }
    for (now, expected) in [(1_000, 1), (1_099, 1), (1_100, 0)] as [(Int64, Int)] {
      try log.roll(nowMilliseconds: now)
      try compact(log, now: now)
      #expect(try tombstones() == expected, "now \(now)")
      #expect(try log.allBatches(from: 0).flatMap(\.records).map(\.timestamp).allSatisfy { $0 < 1_000 })
      try fill(log, 0..<1, keys: 1)
    }
    #expect(try log.offset(forTimestamp: 2)?.offset == 2)
  }

  @Test func decidedTransactionsShrinkToTheirLastTraces() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    func transact(_ id: Int64, _ sequence: Int32, key: String, _ kind: TransactionMarker.Kind) throws {
      let record = TestRecord(timestamp: 5, key: Array(key.utf8), value: Array("\(kind)".utf8))
      try log.append(TestBatch.make([record], producerID: id, epoch: 0, sequence: sequence, transactional: true))
      try log.append(
        TransactionMarker(producerID: id, producerEpoch: 0, kind: kind, coordinatorEpoch: 0), nowMilliseconds: 5)
    }
    try transact(1, 0, key: "a", .commit)
    try transact(1, 1, key: "a", .abort)
    try transact(2, 0, key: "b", .abort)
    try transact(2, 1, key: "b", .commit)
    for round in 0..<4 {
      try log.roll(nowMilliseconds: 1_000)
      try compact(log, now: 1_000 + Int64(round) * 200)
      try fill(log, round..<(round + 1), keys: 1)
    }
    let left = try values(log)
    #expect(Array(left.prefix(2)) == ["commit", "commit"])
    let again = try PartitionLog.open(folder, configuration)
    #expect(again.producers[1]?.lastSequence == 1)
    #expect(again.producers[2]?.lastSequence == 1)
    #expect(again.lastStableOffset == again.logEndOffset)
    // Without its snapshots, from the batches that compaction left.
    for name in try LogFolder.names(in: folder.path) where name.hasSuffix("snapshot") {
      try LogFolder.remove("\(folder.path)/\(name)")
    }
    let bare = try PartitionLog.open(folder, configuration)
    #expect(bare.producers[1]?.lastSequence == 1)
    #expect(bare.producers[2]?.lastSequence == 1)
    #expect(bare.lastStableOffset == bare.logEndOffset)
    #expect(try values(bare) == values(log))
  }

  @Test func anOpenTransactionHoldsCompactionBack() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try log.append(TestBatch.values(["x"], producerID: 1, epoch: 0, sequence: 0, transactional: true))
    try fill(log, 0..<40, keys: 1)
    #expect(log.compactionJob(nowMilliseconds: 1_000) == nil)
  }

  /// The exchange of files is interrupted after each of its steps.
  @Test(arguments: 0..<6)
  func anInterruptedExchangeIsFinished(steps: Int) throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try fill(log, 0..<60, keys: 5)
    let job = try #require(log.compactionJob(nowMilliseconds: 1_000))
    let result = try job.run()
    let group = try #require(result.groups.first)
    let stem = "\(folder.path)/\(SegmentName.stem(group.replaced[0]))"
    if steps > 0 { try LogFolder.remove(stem + ".index") }
    if steps > 1 { try LogFolder.rename(stem + ".log.cleaned", to: stem + ".log") }
    if steps > 2 { try LogFolder.rename(stem + ".index.cleaned", to: stem + ".index") }
    for base in group.replaced.dropFirst().prefix(max(0, steps - 3)) {
      try LogFolder.remove("\(folder.path)/\(SegmentName.stem(base)).log")
    }
    let again = try PartitionLog.open(folder, configuration)
    let growing = again.active.baseOffset
    #expect(try again.allBatches(from: 0).flatMap(\.records).filter { $0.offset < growing }.count == 5)
    #expect(try LogFolder.names(in: folder.path).allSatisfy { !$0.hasSuffix("cleaned") && $0 != "compaction" })
  }

  @Test func aResultForDeletedSegmentsIsThrownAway() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try fill(log, 0..<60, keys: 60)
    try log.append(TestBatch.make([TestRecord(timestamp: 1, key: Array("k3".utf8), value: Array("new".utf8))]))
    try log.roll(nowMilliseconds: 0)
    let job = try #require(log.compactionJob(nowMilliseconds: 1_000))
    let result = try job.run()
    try log.deleteRecords(before: 50)
    try log.apply(result)
    #expect(try values(log).contains("new"))
    let again = try PartitionLog.open(folder, configuration)
    #expect(try values(again) == values(log))
    #expect(again.logStartOffset == 50)
  }

  @Test func damageIsNotCompactedAway() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try fill(log, 0..<30, keys: 2)
    let file = try LogFile(log.segments[1].logPath, .readWrite)
    try file.write(unsafe [UInt8](repeating: 0xee, count: 4).span.bytes, at: 70)
    let job = try #require(log.compactionJob(nowMilliseconds: 1_000))
    #expect(throws: HeadraceError.self) { try job.run() }
    #expect(!LogFolder.exists("\(folder.path)/compaction"))
  }

  @Test func keysBeyondTheMemoryLimitWaitForTheNextRound() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder, configuration)
    try fill(log, 0..<60, keys: 4)
    var job = try #require(log.compactionJob(nowMilliseconds: 1_000))
    job.maximumKeyBytes = 0
    let first = try job.run()
    #expect(first.cleanedUpTo < log.active.baseOffset)
    try log.apply(first)
    while let next = log.compactionJob(nowMilliseconds: 1_000) { try log.apply(next.run()) }
    let growing = log.active.baseOffset
    #expect(try log.allBatches(from: 0).flatMap(\.records).filter { $0.offset < growing }.count == 4)
  }

  @Test func lagsHoldBackAndPress() throws {
    let folder = TemporaryFolder()
    var lagging = configuration
    lagging.minCompactionLagMilliseconds = 500
    let log = try PartitionLog.open(folder, lagging)
    try fill(log, 0..<30, keys: 1)
    #expect(log.compactionJob(nowMilliseconds: 400) == nil)
    #expect(log.compactionJob(nowMilliseconds: 600) != nil)
    log.configuration.minCleanableDirtyRatio = 1
    #expect(log.compactionJob(nowMilliseconds: 600) == nil)
    log.configuration.maxCompactionLagMilliseconds = 550
    #expect(log.compactionJob(nowMilliseconds: 600) != nil)
  }

  @Test(arguments: CompressionCodec.allCases)
  func batchesKeepTheirCodec(codec: CompressionCodec) throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    log.configuration.cleanupPolicy = .compact
    for round in 0..<3 {
      let records = (0..<5).map {
        TestRecord(timestamp: 9, key: [UInt8($0 + round)], value: [UInt8](repeating: 7, count: 50))
      }
      try log.append(TestBatch.make(records, codec: codec))
    }
    try log.roll(nowMilliseconds: 0)
    try compact(log)
    let batches = try log.allBatches(from: 0)
    #expect(batches.allSatisfy { $0.header.attributes.codec == codec })
    #expect(batches.flatMap(\.records).map(\.offset) == [0, 5, 10, 11, 12, 13, 14])
    #expect(batches.map(\.header.lastOffsetDelta) == [4, 4, 4])
  }
}
