import Codecs
import Core
import Testing

@testable import Broker

@Suite("Recovery of a partition log")
struct RecoveryTests {
  /// Three batches; the last two are what the tests damage.
  private func makeLog(_ folder: TemporaryFolder) throws -> (path: String, sizes: [Int]) {
    let log = try PartitionLog.open(folder)
    var sizes = [0]
    try log.append(TestBatch.values(["first"], producerID: 1, epoch: 0, sequence: 0))
    sizes.append(Int(log.sizeBytes))
    try log.append(TestBatch.values(["second", "batch"], producerID: 1, epoch: 0, sequence: 1))
    sizes.append(Int(log.sizeBytes))
    try log.append(TestBatch.values(["third"], producerID: 1, epoch: 0, sequence: 3, codec: .lz4))
    sizes.append(Int(log.sizeBytes))
    return (log.active.logPath, sizes)
  }

  private static let offsets: [Int64] = [0, 1, 3, 4]

  @Test func everyLengthOfTailIsCutAtTheLastWholeBatch() throws {
    let original = TemporaryFolder()
    let (path, sizes) = try makeLog(original)
    let content = try read(path)
    for length in 0...content.count {
      let folder = TemporaryFolder()
      try write(Array(content[..<length]), to: "\(folder.path)/\(SegmentName.stem(0)).log")
      let log = try PartitionLog.open(folder)
      let whole = sizes.lastIndex { $0 <= length } ?? 0
      #expect(log.logEndOffset == Self.offsets[whole], "length \(length)")
      #expect(log.recovery.truncatedBytes == length - sizes[whole], "length \(length)")
      #expect(try log.allBatches(from: 0).count == whole)
      // The producer goes on where the log ends.
      let next = whole == 0 ? Int32(0) : Int32(Self.offsets[whole])
      let result = try log.append(TestBatch.values(["next"], producerID: 1, epoch: 0, sequence: next))
      #expect(result.baseOffset == Self.offsets[whole], "length \(length)")
    }
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let original = TemporaryFolder()
    let (path, sizes) = try makeLog(original)
    let content = try read(path)
    for position in sizes[1]..<content.count {
      var damaged = content
      damaged[position] ^= UInt8(1 << (position % 8))
      let folder = TemporaryFolder()
      try write(damaged, to: "\(folder.path)/\(SegmentName.stem(0)).log")
      let log = try PartitionLog.open(folder)
      let batch = position < sizes[2] ? 1 : 2
      // The leader epoch is the one field that nothing covers; it means nothing here.
      let isLeaderEpoch = (12..<16).contains(position - sizes[batch])
      #expect(log.logEndOffset == (isLeaderEpoch ? 4 : Self.offsets[batch]), "byte \(position)")
    }
  }

  @Test func zerosBehindTheEndAreCut() throws {
    let folder = TemporaryFolder()
    let (path, sizes) = try makeLog(folder)
    try write([UInt8](repeating: 0, count: 5_000), to: path, at: sizes[3])
    let log = try PartitionLog.open(folder)
    #expect(log.recovery.truncatedBytes == 5_000)
    #expect(log.logEndOffset == 4)
  }

  @Test func damageInFrontOfLaterSegmentsIsAnError() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["one"]))
    let first = log.active.logPath
    try log.roll(nowMilliseconds: 1_000)
    try log.append(TestBatch.values(["two"]))
    try write([0xff], to: first, at: 30)
    let error = #expect(throws: HeadraceError.self) { try PartitionLog.open(folder) }
    #expect(error?.code == "LOG_CORRUPT")
    #expect(error?.place == first)
    #expect(LogFolder.exists(log.active.logPath))
  }

  @Test func flushedDataIsNotCutSilently() throws {
    let folder = TemporaryFolder()
    let (path, sizes) = try makeLog(folder)
    let log = try PartitionLog.open(folder)
    let job = try #require(log.flushJob())
    try log.flushed(job.run())
    try write([0xff], to: path, at: sizes[1] + 8)
    #expect(throws: HeadraceError.self) { try PartitionLog.open(folder) }
  }

  @Test func anInterruptedRollLeavesAnEmptySegment() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["one"], producerID: 4, epoch: 0, sequence: 0))
    try log.roll(nowMilliseconds: 1_000)
    let again = try PartitionLog.open(folder)
    #expect(again.logEndOffset == 1)
    #expect(again.producers == log.producers)
    #expect(try again.append(TestBatch.values(["two"], producerID: 4, epoch: 0, sequence: 1)).baseOffset == 1)
  }

  @Test func aTornSnapshotCostsAScanAndNothingElse() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["one"], producerID: 4, epoch: 0, sequence: 0, transactional: true))
    try log.roll(nowMilliseconds: 1_000)
    try log.append(TestBatch.values(["two"], producerID: 4, epoch: 0, sequence: 1, transactional: true))
    try write([0xff, 0xff], to: log.snapshotPath(1), at: 20)
    let again = try PartitionLog.open(folder)
    #expect(again.producers == log.producers)
    #expect(again.lastStableOffset == 0)
  }

  @Test(arguments: ["index", "snapshot", "recovery-point", "clean-shutdown", "log-start"])
  func smallFilesMayBeGarbage(kind: String) throws {
    let folder = TemporaryFolder()
    var configuration = LogConfiguration()
    configuration.segmentBytes = 200
    let log = try PartitionLog.open(folder, configuration)
    for index in 0..<20 {
      try log.append(TestBatch.values(["value \(index)"], producerID: 4, epoch: 0, sequence: Int32(index)))
    }
    if let job = log.flushJob() { try log.flushed(job.run()) }
    let producers = log.producers
    try log.close()
    for name in try LogFolder.names(in: folder.path) where name.hasSuffix(kind) {
      try write([1, 2, 3], to: "\(folder.path)/\(name)", at: 9)
    }
    let again = try PartitionLog.open(folder, configuration)
    #expect(again.logEndOffset == 20)
    #expect(try again.allBatches(from: 0).flatMap(\.records).count == 20)
    #expect(again.producers[4]?.recent == producers[4]?.recent)
  }

  private func read(_ path: String) throws -> [UInt8] {
    let file = try LogFile(path, .read)
    var bytes = [UInt8](repeating: 0, count: try file.size())
    var elements = bytes.mutableSpan
    var span = unsafe elements.mutableBytes
    _ = try file.read(span.byteCount, into: &span, at: 0)
    return bytes
  }

  private func write(_ bytes: [UInt8], to path: String, at position: Int = 0) throws {
    try LogFile(path, .readWrite).write(unsafe bytes.span.bytes, at: position)
  }
}
