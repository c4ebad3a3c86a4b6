import Codecs
import Core
import Glibc
import NIOCore

@testable import Broker

/// A folder of its own for one test; removed with everything in it.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/headrace-log-XXXXXX".utf8CString)
    path = unsafe template.withUnsafeMutableBufferPointer { buffer in
      let made = unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }
      return unsafe made.map { unsafe String(cString: $0) } ?? ""
    }
  }

  deinit { Self.remove(path) }

  static func remove(_ path: String) {
    for name in (try? LogFolder.names(in: path)) ?? [] {
      let child = "\(path)/\(name)"
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }
}

/// Seeds of random histories; `HEADRACE_TEST_SEEDS=1000` runs more of them.
enum TestSeeds {
  static func from(_ first: UInt64) -> Range<UInt64> {
    let count = unsafe getenv("HEADRACE_TEST_SEEDS").flatMap { unsafe UInt64(String(cString: $0)) } ?? 24
    return first..<(first + count)
  }
}

/// A record as tests see it.
struct TestRecord: Equatable {
  var offset: Int64 = 0
  var timestamp: Int64
  var key: [UInt8]?
  var value: [UInt8]?
}

enum TestBatch {
  /// A batch of records with an optional producer.
  static func make(
    _ records: [TestRecord], producerID: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1,
    transactional: Bool = false,
    codec: CompressionCodec = .none
  ) throws -> [UInt8] {
    var builder = RecordBatchBuilder(baseTimestamp: records.first?.timestamp ?? 0)
    builder.header.producerID = producerID
    builder.header.producerEpoch = epoch
    builder.header.baseSequence = sequence
    if transactional { builder.header.attributes.insert(.transactional) }
    for record in records { builder.append(key: record.key, value: record.value, timestamp: record.timestamp) }
    return try builder.finish(compressor: Compressor(), codec: codec)
  }

  /// Small batches of values `text`, one per element.
  static func values(
    _ texts: [String], timestamp: Int64 = 1_000, producerID: Int64 = -1, epoch: Int16 = -1, sequence: Int32 = -1,
    transactional: Bool = false, codec: CompressionCodec = .none
  ) throws -> [UInt8] {
    try make(
      texts.map { TestRecord(timestamp: timestamp, key: Array("k".utf8), value: Array($0.utf8)) },
      producerID: producerID, epoch: epoch, sequence: sequence, transactional: transactional, codec: codec)
  }
}

/// One batch as it came out of a read.
struct ReadBatch: Equatable {
  var header: RecordBatchHeader
  var records: [TestRecord]
}

extension PartitionLog {
  static func open(_ folder: TemporaryFolder, _ configuration: LogConfiguration = .init(), now: Int64 = 1_000) throws
    -> PartitionLog
  {
    try open(folder: folder.path, configuration: configuration, resources: LogResources(), nowMilliseconds: now)
  }

  @discardableResult
  func append(_ bytes: [UInt8], now: Int64 = 1_000) throws(LogError) -> AppendResult {
    try append(unsafe bytes.span.bytes, nowMilliseconds: now)
  }

  /// What a reader gets in one read, decoded.
  func batches(
    from offset: Int64, maximumBytes: Int = 1 << 20, isolation: LogIsolation = .highWatermark,
    minimumOneBatch: Bool = true
  ) throws -> [ReadBatch] {
    var buffer = ByteBuffer()
    let result = try read(
      from: offset, maximumBytes: maximumBytes, isolation: isolation, minimumOneBatch: minimumOneBatch, into: &buffer)
    let batches = try decodeBatches(buffer)
    assert(result.sizeBytes == buffer.readableBytes)
    return batches
  }

  /// Everything from an offset on, over as many reads as it takes.
  func allBatches(
    from offset: Int64, maximumBytes: Int = 1 << 20, isolation: LogIsolation = .highWatermark
  ) throws -> [ReadBatch] {
    var all: [ReadBatch] = []
    var next = offset
    while true {
      var buffer = ByteBuffer()
      let result = try read(
        from: next, maximumBytes: maximumBytes, isolation: isolation, minimumOneBatch: true, into: &buffer)
      if result.sizeBytes == 0 { return all }
      all += try decodeBatches(buffer)
      next = result.endOffset
    }
  }
}

/// Decodes whole batches, with their checksums verified.
func decodeBatches(_ buffer: ByteBuffer) throws -> [ReadBatch] {
  let bytes = Array(buffer.readableBytesView)
  var batches: [ReadBatch] = []
  var position = 0
  let decompressor = Decompressor()
  while position < bytes.count {
    let rest = unsafe bytes.span.bytes.extracting(droppingFirst: position)
    guard let header = RecordBatchHeader(rest) else { throw RecordBatchError.empty }
    let batch = rest.extracting(first: header.sizeBytes)
    _ = try RecordBatchValidator.validateFrame(batch, maximumBytes: .max)
    let records = try decompressor.withRecords(
      of: header, batch.extracting(droppingFirst: RecordBatchHeader.sizeBytes), limit: .standard
    ) { (records) throws(RecordBatchError) in
      try decodeRecords(records, of: header)
    }
    batches.append(ReadBatch(header: header, records: records))
    position += header.sizeBytes
  }
  return batches
}

private func decodeRecords(_ records: RawSpan, of header: RecordBatchHeader) throws(RecordBatchError) -> [TestRecord] {
  var cursor = RecordCursor(records)
  var found: [TestRecord] = []
  func bytes(_ range: Range<Int>?) -> [UInt8]? {
    range.map { range in range.map { records.bigEndian(at: $0, as: UInt8.self) } }
  }
  for _ in 0..<header.recordCount {
    let record = try cursor.next()
    let isAppendTime = header.attributes.contains(.logAppendTime)
    found.append(
      TestRecord(
        offset: header.baseOffset + Int64(record.offsetDelta),
        timestamp: isAppendTime ? header.maximumTimestamp : header.baseTimestamp + record.timestampDelta,
        key: bytes(record.key), value: bytes(record.value)))
  }
  return found
}
