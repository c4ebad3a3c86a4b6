import Testing

@testable import Broker

@Suite("Retention and rolling")
struct RetentionTests {
  private func log(_ folder: TemporaryFolder, segmentBytes: Int = 300) throws -> PartitionLog {
    var configuration = LogConfiguration()
    configuration.segmentBytes = segmentBytes
    return try PartitionLog.open(folder, configuration, now: 0)
  }

  private func fill(_ log: PartitionLog, _ count: Int, from first: Int64 = 0) throws {
    for index in 0..<count { try log.append(TestBatch.values(["value"], timestamp: first + Int64(index)), now: 0) }
  }

  @Test func nothingIsDeletedUnlessAskedFor() throws {
    let folder = TemporaryFolder()
    let log = try log(folder)
    try fill(log, 50)
    #expect(try log.applyRetention(nowMilliseconds: .max / 2) == 0)
    #expect(log.logStartOffset == 0)
  }

  @Test func oldSegmentsGo() throws {
    let folder = TemporaryFolder()
    let log = try log(folder)
    try fill(log, 50)
    log.configuration.retentionMilliseconds = 100
    let newest = log.segments[2].summary.maximumTimestamp
    #expect(try log.applyRetention(nowMilliseconds: newest + 100) == 2)
    #expect(try log.applyRetention(nowMilliseconds: newest + 101) == 1)
    #expect(log.logStartOffset == log.segments[0].baseOffset)
    #expect(throws: LogError.self) { try log.batches(from: 0) }
    let again = try PartitionLog.open(folder)
    #expect(again.logStartOffset == log.logStartOffset)
    #expect(again.segmentCount == log.segmentCount)
  }

  @Test func aWhollyExpiredLogStartsAnEmptySegment() throws {
    let folder = TemporaryFolder()
    let log = try log(folder)
    try fill(log, 20)
    try log.append(TestBatch.values(["p"], timestamp: 20, producerID: 3, epoch: 0, sequence: 0), now: 0)
    log.configuration.retentionMilliseconds = 100
    #expect(try log.applyRetention(nowMilliseconds: 10_000) > 0)
    #expect(log.logStartOffset == 21)
    #expect(log.logEndOffset == 21)
    #expect(log.sizeBytes == 0)
    let again = try PartitionLog.open(folder)
    #expect(again.logEndOffset == 21)
    // The producer outlives its records.
    #expect(try again.append(TestBatch.values(["p"], producerID: 3, epoch: 0, sequence: 0)).isDuplicate)
    #expect(try again.append(TestBatch.values(["p"], producerID: 3, epoch: 0, sequence: 1)).baseOffset == 21)
  }

  @Test func sizeIsKeptJustAboveTheLimit() throws {
    let folder = TemporaryFolder()
    let log = try log(folder)
    try fill(log, 100)
    log.configuration.retentionBytes = 1_000
    try log.applyRetention(nowMilliseconds: 0)
    #expect(log.sizeBytes >= 1_000)
    #expect(log.sizeBytes < 1_000 + 300)
  }

  @Test func removedFilesAreGoneAfterTheFlush() throws {
    let folder = TemporaryFolder()
    let log = try log(folder)
    try fill(log, 50)
    try log.deleteRecords(before: 30)
    #expect(try LogFolder.names(in: folder.path).contains { $0.hasSuffix(".deleted") })
    try log.flushed(try #require(log.flushJob()).run())
    #expect(try !LogFolder.names(in: folder.path).contains { $0.hasSuffix(".deleted") })
    #expect(log.flushJob() == nil)
  }

  @Test func segmentsRollBySizeAndTime() throws {
    let folder = TemporaryFolder()
    let log = try log(folder, segmentBytes: 1 << 20)
    log.configuration.segmentMilliseconds = 1_000
    try fill(log, 3, from: 5_000)
    #expect(log.segmentCount == 1)
    try log.append(TestBatch.values(["later"], timestamp: 6_001), now: 0)
    #expect(log.segmentCount == 2)
    try log.append(TestBatch.values(["earlier"], timestamp: 10), now: 0)
    #expect(log.segmentCount == 2)
    try log.rollIfNeeded(nowMilliseconds: 1_001)
    #expect(log.segmentCount == 3)
    // An empty segment never rolls.
    try log.rollIfNeeded(nowMilliseconds: 100_000)
    #expect(log.segmentCount == 3)
    log.configuration.segmentBytes = 100
    #expect(throws: LogError.self) {
      try log.append(TestBatch.values([String(repeating: "x", count: 100)]))
    }
  }

  @Test func openFilesAreBounded() throws {
    let folder = TemporaryFolder()
    var configuration = LogConfiguration()
    configuration.segmentBytes = 100
    let log = try PartitionLog.open(
      folder: folder.path, configuration: configuration, resources: LogResources(maximumOpenSegments: 4),
      nowMilliseconds: 0)
    try fill(log, 40)
    #expect(log.segmentCount == 40)
    for offset in (0..<40).reversed() {
      #expect(try log.batches(from: Int64(offset)).first?.header.baseOffset == Int64(offset))
    }
    #expect(log.segments.filter { $0.opened != nil }.count <= 5)
  }
}
