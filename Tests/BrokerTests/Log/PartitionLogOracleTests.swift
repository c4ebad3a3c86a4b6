import Codecs
import Core
import NIOCore
import Testing

@testable import Broker

/// Random operations on a log and on its naive twin; after each of them both must say the same.
@Suite("Partition log against a naive model")
struct PartitionLogOracleTests {
  @Test(arguments: TestSeeds.from(0))
  func keepsWhatAnArrayWouldKeep(seed: UInt64) throws {
    var run = try OracleRun(seed: seed, isCompacted: false)
    try run.perform(steps: 220)
  }

  @Test(arguments: TestSeeds.from(1_000_000))
  func compactionKeepsTheNewestOfEachKey(seed: UInt64) throws {
    var run = try OracleRun(seed: seed, isCompacted: true)
    try run.perform(steps: 220)
  }
}

private struct OracleRun {
  let seed: UInt64
  let isCompacted: Bool
  let folder = TemporaryFolder()
  var random: SplitMix64
  var configuration = LogConfiguration()
  var log: PartitionLog
  var model = LogModel()
  var now: Int64 = 1_700_000_000_000
  var step = 0
  var wasCompacted = false

  init(seed: UInt64, isCompacted: Bool) throws {
    self.seed = seed
    self.isCompacted = isCompacted
    random = SplitMix64(seed: seed)
    configuration.segmentBytes = [300, 900, 4_000].randomElement(using: &random) ?? 900
    configuration.indexIntervalBytes = [0, 100, 4_096].randomElement(using: &random) ?? 100
    configuration.minCleanableDirtyRatio = 0
    configuration.deleteRetentionMilliseconds = 5_000
    configuration.cleanupPolicy = isCompacted ? .compact : .delete
    log = try PartitionLog.open(folder, configuration, now: now)
  }

  var context: Comment { "seed \(seed), step \(step)" }

  mutating func perform(steps: Int) throws {
    while step < steps {
      step += 1
      now += Int64.random(in: 0...2_000, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<25: try appendPlain()
      case 25..<45: try appendIdempotent()
      case 45..<65: try appendTransactional()
      case 65..<78: try appendMarker()
      case 78..<80: try deleteRecords()
      case 80..<83: try isCompacted ? compact() : applyRetention()
      case 83..<86: try flush()
      case 86..<90: try reopen(clean: true)
      case 90..<94: try reopen(clean: false)
      case 94..<97: try tearAndReopen()
      default: try compareAll()
      }
      try compareState()
    }
    try compareAll()
    try log.close()
  }

  // MARK: Operations

  mutating func randomRecords() -> [TestRecord] {
    (0..<Int.random(in: 1...4, using: &random)).map { _ in
      let key =
        isCompacted || Bool.random(using: &random) ? Array("key-\(Int.random(in: 0..<6, using: &random))".utf8) : nil
      let size = Int.random(in: 0...40, using: &random)
      let isNull = Int.random(in: 0..<6, using: &random) == 0
      return TestRecord(
        timestamp: now + Int64.random(in: -5_000...5_000, using: &random), key: key,
        value: isNull ? nil : (0..<size).map { _ in UInt8.random(in: 97...122, using: &random) })
    }
  }

  mutating func send(id: Int64, epoch: Int16, sequence: Int32, transactional: Bool, records: [TestRecord]) throws {
    let codec = CompressionCodec.allCases.randomElement(using: &random) ?? .none
    let bytes = try TestBatch.make(
      records, producerID: id, epoch: epoch, sequence: sequence, transactional: transactional, codec: codec)
    guard bytes.count <= configuration.segmentBytes else { return }
    let expected = model.append(records, producerID: id, epoch: epoch, sequence: sequence, transactional: transactional)
    let found: LogModel.Expectation
    do throws(LogError) {
      let result = try log.append(bytes, now: now)
      found = result.isDuplicate ? .duplicate(result.baseOffset) : .appended(result.baseOffset)
    } catch {
      found = .refused(error.kafkaCode)
    }
    #expect(found == expected, context)
  }

  mutating func appendPlain() throws {
    try send(id: -1, epoch: -1, sequence: -1, transactional: false, records: randomRecords())
  }

  mutating func appendIdempotent() throws {
    try appendSequenced(id: Int64.random(in: 1...3, using: &random), transactional: false)
  }

  mutating func appendTransactional() throws {
    try appendSequenced(
      id: Int64.random(in: 11...13, using: &random), transactional: Int.random(in: 0..<12, using: &random) > 0)
  }

  mutating func appendSequenced(id: Int64, transactional: Bool) throws {
    let known = model.producers[id]
    let epoch = known?.epoch ?? 0
    let next = (known?.sent.last?.last ?? -1) + 1
    let records = randomRecords()
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      // Again one of the last seven, of which five are remembered.
      if let sent = known?.sent.suffix(7).randomElement(using: &random) {
        let count = Int(sent.last - sent.first + 1)
        let again = (0..<count).map { _ in TestRecord(timestamp: now, key: [1], value: [2]) }
        try send(id: id, epoch: epoch, sequence: sent.first, transactional: transactional, records: again)
      }
    case 1: try send(id: id, epoch: epoch, sequence: next + 1, transactional: transactional, records: records)
    case 2:
      try send(
        id: id, epoch: epoch + 1, sequence: Bool.random(using: &random) ? 0 : 3, transactional: transactional,
        records: records)
    case 3 where epoch > 0:
      try send(id: id, epoch: epoch - 1, sequence: next, transactional: transactional, records: records)
    default: try send(id: id, epoch: epoch, sequence: next, transactional: transactional, records: records)
    }
  }

  mutating func appendMarker() throws {
    let id = Int64.random(in: 11...13, using: &random)
    let epoch = (model.producers[id]?.epoch ?? 0) + Int16.random(in: 0...1, using: &random)
    let abort = Bool.random(using: &random)
    let expected = model.mark(id, epoch: epoch, abort: abort)
    let marker = TransactionMarker(
      producerID: id, producerEpoch: epoch, kind: abort ? .abort : .commit, coordinatorEpoch: 0)
    let found = try log.append(marker, nowMilliseconds: now)
    #expect(.appended(found) == expected, context)
  }

  mutating func deleteRecords() throws {
    let offset = Int64.random(in: log.logStartOffset...log.logEndOffset, using: &random)
    try log.deleteRecords(before: offset)
    model.moveStart(to: offset)
  }

  mutating func applyRetention() throws {
    var narrow = configuration
    narrow.retentionBytes = Int64.random(in: 0...6_000, using: &random)
    narrow.retentionMilliseconds = Int64.random(in: 5_000...300_000, using: &random)
    log.configuration = narrow
    try log.applyRetention(nowMilliseconds: now)
    log.configuration = configuration
    #expect(log.sizeBytes < narrow.retentionBytes + Int64(configuration.segmentBytes) || log.segmentCount == 1, context)
    if log.logStartOffset > model.logStart {
      #expect(model.batches.contains { $0.endOffset == log.logStartOffset }, context)
      model.moveStart(to: log.logStartOffset)
    }
  }

  mutating func compact() throws {
    guard let job = log.compactionJob(nowMilliseconds: now) else { return }
    let result = try job.run()
    // Now and then the log goes on, or dies, between the two halves.
    if Int.random(in: 0..<4, using: &random) == 0 {
      log = try PartitionLog.open(folder, configuration, now: now)
    } else {
      try log.apply(result)
    }
    wasCompacted = true
    model.compact(upTo: result.cleanedUpTo, now: now, deleteRetention: configuration.deleteRetentionMilliseconds)
  }

  mutating func flush() throws {
    guard let job = log.flushJob() else { return }
    try log.flushed(try job.run())
    #expect(log.recoveryPoint == log.logEndOffset, context)
    #expect(log.flushJob() == nil, context)
  }

  mutating func reopen(clean: Bool) throws {
    let producers = log.producers
    let aborted = log.aborted
    if clean { try log.close() }
    log = try PartitionLog.open(folder, configuration, now: now)
    #expect(log.recovery.wasClean == clean, context)
    #expect(log.recovery.truncatedBytes == 0, context)
    if clean { #expect(log.producers == producers, context) }
    if !wasCompacted { #expect(log.aborted == aborted, context) }
  }

  /// A crash in the middle of a write: part of a batch stands at the end of the file.
  mutating func tearAndReopen() throws {
    let torn = try TestBatch.make(randomRecords())
    let cut = Int.random(in: 1..<torn.count, using: &random)
    let file = try LogFile(log.active.logPath, .readWrite)
    try file.write(unsafe torn.span.bytes.extracting(first: cut), at: log.active.sizeBytes)
    log = try PartitionLog.open(folder, configuration, now: now)
    #expect(log.recovery.truncatedBytes == cut, context)
  }

  // MARK: Comparison

  func compareState() throws {
    #expect(log.logStartOffset == model.logStart, context)
    #expect(log.logEndOffset == model.logEnd, context)
    #expect(log.lastStableOffset == model.lastStable, context)
    for (id, producer) in model.producers {
      let found = log.producers[id]
      // After compaction and a crash a producer is known by its last batch only.
      #expect(found?.epoch == producer.epoch, "\(context) producer \(id)")
      #expect(found?.openTransactionFirstOffset == producer.openSince, "\(context) producer \(id)")
      #expect(found?.lastSequence == producer.sent.last?.last ?? -1, "\(context) producer \(id)")
    }
  }

  mutating func compareAll() throws {
    for offset in log.logStartOffset...log.logEndOffset {
      let maximumBytes = [1, 100, 500, 100_000].randomElement(using: &random) ?? 100
      for isolation in [LogIsolation.highWatermark, .lastStable] {
        try compareRead(from: offset, maximumBytes: maximumBytes, isolation)
      }
    }
    for offset in [log.logStartOffset - 1, log.logEndOffset + 1] {
      #expect(throws: LogError.self, context) { try log.batches(from: offset) }
    }
    try compareEverything()
    try compareTimestamps()
  }

  func compareRead(from offset: Int64, maximumBytes: Int, _ isolation: LogIsolation) throws {
    var buffer = ByteBuffer()
    let result = try log.read(
      from: offset, maximumBytes: maximumBytes, isolation: isolation, minimumOneBatch: true, into: &buffer)
    let limit = isolation == .lastStable ? model.lastStable : model.logEnd
    let batches = try decodeBatches(buffer)
    #expect(buffer.readableBytes == result.sizeBytes, context)
    #expect(result.sizeBytes <= maximumBytes || batches.count == 1, context)
    if batches.isEmpty { #expect(model.records(from: offset, upTo: limit).isEmpty, "\(context) offset \(offset)") }
    if let first = batches.first { #expect(first.header.lastOffset >= offset, context) }
    #expect(result.endOffset <= max(limit, offset), context)
    let found = batches.filter { !$0.header.attributes.contains(.control) }.flatMap(\.records).filter {
      $0.offset >= offset
    }
    #expect(found == model.records(from: offset, upTo: result.endOffset), "\(context) offset \(offset)")
    guard !batches.isEmpty else { return }
    let aborted = log.abortedTransactions(from: offset, upTo: result.endOffset)
    let expected = model.overlapping(from: offset, upTo: result.endOffset)
    #expect(aborted.map(\.firstOffset) == aborted.map(\.firstOffset).sorted(), context)
    if wasCompacted {
      // Transactions without data may be left out, and may begin later than they did.
      for entry in aborted {
        #expect(expected.contains { $0.last == entry.lastOffset && $0.first <= entry.firstOffset }, context)
      }
      for batch in model.batches where batch.baseOffset >= offset && batch.endOffset <= result.endOffset {
        guard !batch.records.isEmpty, model.isAborted(batch) else { continue }
        #expect(
          aborted.contains {
            $0.producerID == batch.producerID && $0.firstOffset <= batch.baseOffset && batch.baseOffset < $0.lastOffset
          }, context)
      }
    } else {
      #expect(aborted.map(\.lastOffset) == expected.map(\.last), "\(context) offset \(offset)")
      #expect(aborted.map(\.firstOffset) == expected.map(\.first), context)
      #expect(aborted.map(\.producerID) == expected.map(\.producerID), context)
    }
  }

  func compareEverything() throws {
    let all = try log.allBatches(from: log.logStartOffset, maximumBytes: 700)
    var end = Int64(-1)
    for batch in all {
      #expect(batch.header.baseOffset >= end, context)
      end = batch.header.endOffset
    }
    let found = all.filter { !$0.header.attributes.contains(.control) }.flatMap(\.records).filter {
      $0.offset >= log.logStartOffset
    }
    #expect(found == model.records(from: 0, upTo: .max), context)
  }

  mutating func compareTimestamps() throws {
    let all = try log.allBatches(from: log.logStartOffset).flatMap(\.records).filter { $0.offset >= log.logStartOffset }
    for _ in 0..<10 {
      let timestamp = now + Int64.random(in: -100_000...6_000, using: &random)
      let expected = all.first { $0.timestamp >= timestamp }.map {
        TimestampOffset(timestamp: $0.timestamp, offset: $0.offset)
      }
      let found = try log.offset(forTimestamp: timestamp)
      #expect(found == expected, "\(context) timestamp \(timestamp)")
    }
    let newest = all.map(\.timestamp).max()
    let expected = all.first { $0.timestamp == newest }.map {
      TimestampOffset(timestamp: $0.timestamp, offset: $0.offset)
    }
    let found = try log.offsetOfMaximumTimestamp()
    #expect(found == expected, context)
  }
}
