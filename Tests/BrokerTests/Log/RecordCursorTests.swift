import Core
import Testing

@testable import Broker

@Suite("Records of a batch")
struct RecordCursorTests {
  @Test(arguments: 0..<50)
  func whatIsBuiltIsReadBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    func bytes(_ limit: Int) -> [UInt8]? {
      Int.random(in: 0..<5, using: &random) == 0
        ? nil : (0..<Int.random(in: 0...limit, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
    let base = Int64.random(in: -1...Int64.max / 2, using: &random)
    var builder = RecordBatchBuilder(baseTimestamp: base)
    var expected: [(key: [UInt8]?, value: [UInt8]?, timestamp: Int64, headers: Int)] = []
    for _ in 0..<20 {
      let key = bytes(100)
      let value = bytes(9_000)
      let timestamp = base &+ Int64.random(in: Int64.min / 2...Int64.max / 2, using: &random)
      let headers = (0..<Int.random(in: 0...3, using: &random)).map { (key: Array("h\($0)".utf8), value: bytes(20)) }
      builder.append(key: key, value: value, headers: headers, timestamp: timestamp)
      expected.append((key, value, timestamp, headers.count))
    }
    let batch = builder.finish()
    let records = unsafe batch.span.bytes.extracting(droppingFirst: RecordBatchHeader.sizeBytes)
    var cursor = RecordCursor(records)
    for (index, wanted) in expected.enumerated() {
      let found = try cursor.next()
      #expect(found.offsetDelta == index)
      #expect(found.key.map { $0.map { records.bigEndian(at: $0) } } == wanted.key)
      #expect(found.value.map { $0.map { records.bigEndian(at: $0) } } == wanted.value)
      #expect(base &+ found.timestampDelta == wanted.timestamp)
      #expect(Int(found.headerCount) == wanted.headers)
    }
    let isAtEnd = cursor.isAtEnd
    #expect(isAtEnd)
    #expect(throws: RecordBatchError.malformedRecord(index: 20)) {
      var again = RecordCursor(records)
      for _ in 0...expected.count { _ = try again.next() }
    }
  }

  @Test func everyCutIsNoticed() throws {
    var builder = RecordBatchBuilder(baseTimestamp: 0)
    builder.append(
      key: [1, 2], value: [3, 4, 5], headers: [(key: [6], value: [7]), (key: [8], value: nil)], timestamp: 300)
    let records = Array(builder.finish()[RecordBatchHeader.sizeBytes...])
    for length in 0..<records.count {
      let error = #expect(throws: RecordBatchError.self) {
        var cursor = RecordCursor(unsafe records.span.bytes.extracting(first: length))
        _ = try cursor.next()
      }
      #expect(error == .malformedRecord(index: 0))
    }
  }

  /// Encodings that consumers refuse are refused here, else one producer could stop every consumer.
  @Test(
    arguments: [
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0xff, 0xff, 0xff, 0xff, 0x1f], [0x03], [0x01], [0x80],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
    ] as [[UInt8]])
  func badLengthsAreRefused(bytes: [UInt8]) {
    #expect(throws: RecordBatchError.malformedRecord(index: 0)) {
      let padded = bytes + [0, 0, 0, 1, 1]
      var cursor = RecordCursor(unsafe padded.span.bytes)
      _ = try cursor.next()
    }
  }

  @Test func nullHeaderKeysAreRefused() {
    // length 7, attributes, timestamp, offset, null key, null value, one header with a null key
    let records: [UInt8] = [14, 0, 0, 0, 1, 1, 2, 1]
    #expect(throws: RecordBatchError.malformedRecord(index: 0)) {
      var cursor = RecordCursor(unsafe records.span.bytes)
      _ = try cursor.next()
    }
  }
}
