import Core
import Codecs
import Testing

@testable import Broker

@Suite("What a producer may send")
struct RecordBatchValidatorTests {
  private let validator = RecordBatchValidator(maximumExpandedBytes: 1 << 20)

  private func refusal(_ bytes: [UInt8], _ rules: LogConfiguration = .init(), now: Int64 = 1_000) -> RecordBatchError? {
    do throws(RecordBatchError) {
      _ = try validator.validate(unsafe bytes.span.bytes, rules: rules, nowMilliseconds: now)
      return nil
    } catch {
      return error
    }
  }

  /// A batch whose header was changed after the fact, with a right checksum.
  private func batch(_ change: (inout RecordBatchHeader) -> Void, records: [UInt8]? = nil) throws -> [UInt8] {
    let bytes = try TestBatch.values(["a", "b"])
    var header = try #require(RecordBatchHeader(unsafe bytes.span.bytes))
    let records = records ?? Array(bytes[RecordBatchHeader.sizeBytes...])
    header.batchLength = Int32(RecordBatchHeader.sizeBytes - RecordBatchHeader.uncountedBytes + records.count)
    change(&header)
    header.checksum = header.computedChecksum(records: unsafe records.span.bytes)
    let encoded = header.encoded()
    return encoded.indices.map { encoded[$0] } + records
  }

  @Test func wellFormedBatchesPass() throws {
    for codec in CompressionCodec.allCases {
      #expect(try refusal(TestBatch.values(["a", "b", "c"], codec: codec)) == nil)
    }
  }

  @Test func framesAreChecked() throws {
    let good = try TestBatch.values(["a", "b"])
    #expect(refusal([]) == .empty)
    for length in 1..<good.count {
      #expect(refusal(Array(good[..<length]))?.kafkaCode == 2, "length \(length)")
    }
    #expect(refusal(good + [0]) == .trailingBytes(1))
    #expect(refusal(good + good) == .trailingBytes(good.count))
    var old = good
    old[16] = 1
    #expect(refusal(old) == .unsupportedMagic(1))
    for position in RecordBatchHeader.checkedFrom..<good.count {
      var damaged = good
      damaged[position] ^= 0x10
      #expect(refusal(damaged)?.kafkaCode == 2, "byte \(position)")
    }
    for length in [Int32.min, -1, 0, 48, Int32.max] {
      var lying = good
      for byte in 0..<4 { lying[8 + byte] = UInt8(truncatingIfNeeded: length >> (24 - 8 * byte)) }
      #expect(refusal(lying)?.kafkaCode == 2, "length \(length)")
    }
    var rules = LogConfiguration()
    rules.maxMessageBytes = good.count - 1
    #expect(refusal(good, rules) == .tooLarge(sizeBytes: good.count, limitBytes: good.count - 1))
  }

  @Test func fieldsAreChecked() throws {
    #expect(try refusal(batch { $0.attributes.insert(.control) }) == .controlBatchFromClient)
    #expect(try refusal(batch { $0.recordCount = 0 })?.kafkaCode == 87)
    #expect(try refusal(batch { $0.recordCount = -1 })?.kafkaCode == 87)
    #expect(
      try refusal(
        batch {
          $0.recordCount = 3; $0.lastOffsetDelta = 2
        }) == .malformedRecord(index: 2))
    #expect(
      try refusal(
        batch {
          $0.recordCount = 1; $0.lastOffsetDelta = 0
        }) == .malformedRecord(index: 1))
    #expect(
      try refusal(
        batch {
          $0.recordCount = .max; $0.lastOffsetDelta = .max - 1
        }) == .malformedRecord(index: 2))
    #expect(try refusal(batch { $0.lastOffsetDelta = 5 }) == .badCount(records: 2, lastOffsetDelta: 5))
    #expect(
      try refusal(
        batch {
          $0.recordCount = .min; $0.lastOffsetDelta = .max
        })?.kafkaCode == 87)
    #expect(try refusal(batch { $0.producerID = 1 }) == .missingSequence)
    #expect(
      try refusal(
        batch {
          $0.producerID = 1; $0.baseSequence = 0; $0.producerEpoch = -1
        }) == .missingSequence)
    #expect(try refusal(batch { $0.attributes.insert(.transactional) }) == .transactionWithoutProducerID)
    #expect(try refusal(batch { $0.attributes = .init(rawValue: 5) }) == .unknownCodec)
    #expect(RecordBatchError.unknownCodec.kafkaCode == 76)
  }

  @Test func recordsAreChecked() throws {
    var rules = LogConfiguration()
    rules.cleanupPolicy = [.compact, .delete]
    let noKey = try TestBatch.make([TestRecord(timestamp: 1, key: [1]), TestRecord(timestamp: 1, key: nil, value: [2])])
    #expect(refusal(noKey, rules) == .missingKey(index: 1))
    #expect(refusal(noKey) == nil)
    #expect(RecordBatchError.missingKey(index: 1).recordIndex == 1)

    var builder = RecordBatchBuilder(baseTimestamp: 0)
    builder.append(key: nil, value: nil, timestamp: 0, offsetDelta: 1)
    builder.append(key: nil, value: nil, timestamp: 0, offsetDelta: 0)
    builder.header.lastOffsetDelta = 1
    #expect(refusal(builder.finish()) == .badOffsetDelta(index: 0))

    for codec in CompressionCodec.allCases where codec != .none {
      let garbage = try batch({ $0.attributes = $0.attributes.with(codec: codec) }, records: [1, 2, 3, 4, 5, 6, 7, 8])
      #expect(refusal(garbage)?.kafkaCode == 87, "\(codec)")
    }
  }

  @Test func bombsAreRefused() throws {
    let large = try TestBatch.make(
      [TestRecord(timestamp: 0, value: [UInt8](repeating: 0, count: 2 << 20))], codec: .zstd)
    #expect(large.count < 10_000)
    #expect(refusal(large) == .expandsTooFar)
    #expect(RecordBatchError.expandsTooFar.kafkaCode == 10)
  }

  @Test func timestampsMustBeInRange() throws {
    var rules = LogConfiguration()
    rules.timestampBeforeMaxMilliseconds = 100
    rules.timestampAfterMaxMilliseconds = 10
    func at(_ timestamp: Int64) throws -> RecordBatchError? {
      try refusal(TestBatch.values(["a"], timestamp: timestamp), rules, now: 1_000)
    }
    #expect(try at(899) == .timestampOutOfRange(index: 0, timestamp: 899))
    #expect(try at(900) == nil)
    #expect(try at(1_010) == nil)
    #expect(try at(1_011)?.kafkaCode == 32)
    #expect(try at(-1) == nil)
    rules.timestampType = .logAppendTime
    #expect(try at(1_011) == nil)
  }

  @Test func theMaximumTimestampIsMadeRight() throws {
    let bytes = try batch { $0.maximumTimestamp = 77 }
    let header = try validator.validate(unsafe bytes.span.bytes, rules: .init(), nowMilliseconds: 5)
    #expect(header.maximumTimestamp == 1_000)
    var rules = LogConfiguration()
    rules.timestampType = .logAppendTime
    let stamped = try validator.validate(unsafe bytes.span.bytes, rules: rules, nowMilliseconds: 5)
    #expect(stamped.maximumTimestamp == 5)
    #expect(stamped.attributes.contains(.logAppendTime))
    let records = unsafe bytes.span.bytes.extracting(droppingFirst: RecordBatchHeader.sizeBytes)
    #expect(stamped.checksum == stamped.computedChecksum(records: records))
  }

  @Test func appendTimeAndRecompressionReachTheReader() throws {
    let folder = TemporaryFolder()
    var configuration = try TopicConfiguration.resolved(
      defaults: [:], overrides: ["message.timestamp.type": "LogAppendTime", "compression.type": "lz4"])
    configuration.segmentBytes = 1 << 20
    let log = try PartitionLog.open(folder, configuration)
    let result = try log.append(TestBatch.values(["a", "b"], timestamp: 3, codec: .gzip), now: 5_000)
    #expect(result.logAppendTimeMilliseconds == 5_000)
    let batch = try #require(try log.batches(from: 0).first)
    #expect(batch.header.attributes.codec == .lz4)
    #expect(batch.records.map(\.timestamp) == [5_000, 5_000])
    #expect(try log.offset(forTimestamp: 4_000) == TimestampOffset(timestamp: 5_000, offset: 0))
  }

  /// Whatever the bytes are: an error, never a trap.
  @Test func randomBytesNeverTrap() throws {
    var random = SplitMix64(seed: 7)
    let good = try TestBatch.values(["some", "records", "to", "damage"])
    for _ in 0..<20_000 {
      var records = Array(good[RecordBatchHeader.sizeBytes...])
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let position = Int.random(in: 0..<records.count, using: &random)
        records[position] = UInt8.random(in: 0...255, using: &random)
      }
      let codec = CompressionCodec.allCases.randomElement(using: &random) ?? .none
      let bytes = try batch(
        {
          $0.attributes = $0.attributes.with(codec: codec)
          $0.recordCount = 4
          $0.lastOffsetDelta = 3
        }, records: records)
      _ = refusal(bytes)
    }
  }
}
